import { accessSync, chmodSync, closeSync, constants, existsSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, makeDirectory } from '../../host/files.ts'
import { HoldfastError } from '../../model/errors.ts'
import { checkFilesystem } from './filesystem.ts'

export const databaseName = 'holdfast.sqlite'
export const lockName = 'owner.lock'
/** An empty file: a database was made here, so that a lost or emptied one is never taken for a new directory. */
const madeName = 'holdfast.made'

/** What may stand in a directory that has no database yet. */
const mayBeThere = [lockName, 'owner.json', 'holdfast.sock', 'holdfast.json5', 'logs', 'backups', 'lost+found']

/**
 * Afterwards the directory exists, is ours alone (0700) and can be written, and holds a database file (0600), perhaps
 * an empty one. @throws HoldfastError STORE_PERMISSION, STORE_FOREIGN, STORE_FILESYSTEM, STORE_CORRUPT
 */
export function prepareDirectory(directory: string, trustFilesystem: boolean): void {
  permitted(directory, () => {
    makeDirectory(directory)
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  })
  if (!trustFilesystem) checkFilesystem(directory)
  const path = join(directory, databaseName)
  checkNotLost(directory)
  if (!existsSync(path)) {
    const strangers = readdirSync(directory).filter((name) => !mayBeThere.includes(name))
    if (strangers.length > 0) throw new HoldfastError('STORE_FOREIGN', { directory, files: strangers.length })
  }
  permitted(directory, () => {
    if ((statSync(directory).mode & 0o077) !== 0) chmodSync(directory, 0o700)
    createPrivate(path) // SQLite gives its -wal and -shm the mode of the database
    createPrivate(join(directory, lockName))
    accessSync(path, constants.R_OK | constants.W_OK)
  })
}

/** @throws HoldfastError STORE_MISSING, STORE_PERMISSION, STORE_CORRUPT */
export function findDatabase(directory: string): string {
  const path = join(directory, databaseName)
  permitted(directory, () => {
    checkNotLost(directory)
    if (isAbsent(path)) throw new HoldfastError('STORE_MISSING', { directory })
    accessSync(path, constants.R_OK)
  })
  return path
}

/** Called when the database is whole for the first time, and harmless when it is called again. */
export function markMade(directory: string): void {
  createPrivate(join(directory, madeName))
}

/** @throws HoldfastError STORE_CORRUPT */
function checkNotLost(directory: string): void {
  const path = join(directory, databaseName)
  if (!existsSync(join(directory, madeName)) || !isAbsent(path)) return
  const because = existsSync(path) ? 'its file is empty' : 'its file is gone'
  throw new HoldfastError('STORE_CORRUPT', { because, path })
}

/** An empty file is a database that was not begun: the process ended before its first write. */
function isAbsent(path: string): boolean {
  return !existsSync(path) || statSync(path).size === 0
}

/** An existing file is not opened: closing it again would drop the locks that SQLite has on it in this process. */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
  }
}

function permitted(directory: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'EEXIST')) throw new HoldfastError('STORE_FOREIGN', { directory })
    if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw forbidden(directory, error)
    if (isSystemError(error, 'ENOSPC', 'EDQUOT')) throw new HoldfastError('STORE_FULL', { directory })
    throw error
  }
}

/** ENOENT too: a file system such as /proc says so of a directory that it does not let be made. */
function forbidden(directory: string, { code }: NodeJS.ErrnoException): HoldfastError {
  return new HoldfastError('STORE_PERMISSION', { directory, because: `${directory} (${code})` })
}
