import { closeSync, constants, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isSystemError } from '../../../host/files.ts'
import { HoldfastError } from '../../../model/errors.ts'
import { ensureDirectory, giveTo } from '../create.ts'
import { failureOfWriting, unsafe } from '../failure.ts'
import type { Directory } from '../place.ts'

/** Everything of ours in a home lies below this name. */
export const ownFolder = 'holdfast'
const lockName = 'lock'

/**
 * Only one Holdfast changes a home at a time, also where one of them runs in a container: `<home>/holdfast/lock` is an empty SQLite file
 * with an exclusive transaction on it. The kernel drops that when the process ends, however it ends, so it is never stale.
 * @throws HoldfastError HOME_BUSY, HOME_UNSAFE, HOME_READ_ONLY, STORE_FULL, STORE_IO
 */
export function takeWriterLock(home: string): Disposable {
  using folder = ensureDirectory(home, join(home, ownFolder))
  const lock = lockByKernel(folder, lockName)
  if (lock !== null) return lock
  throw new HoldfastError('HOME_BUSY', { because: `another Holdfast holds ${join(folder.path, lockName)}` })
}

/**
 * The same with any name in a directory; null where another process, or another part of this one, has it. Nothing else in this process may
 * open the file: closing it again would drop the lock. @throws HoldfastError HOME_UNSAFE, HOME_READ_ONLY, STORE_FULL, STORE_IO
 */
export function lockByKernel(folder: Directory, name: string): Disposable | null {
  const path = join(folder.path, name)
  makeLockFile(folder, name)
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // a journal file would be left behind by a kill
    return { [Symbol.dispose]: () => database.close() }
  } catch (error) {
    database.close()
    if (!(error instanceof Error) || !('errcode' in error)) throw error
    if ((Number(error.errcode) & 0xff) === sqliteBusy) return null
    throw new HoldfastError('STORE_IO', { because: `${path}: ${error.message}` }, { cause: error })
  }
}

const sqliteBusy = 5

/** One that is there is not opened: closing it again would drop the lock that SQLite has on it in this process. */
function makeLockFile(folder: Directory, name: string): void {
  const path = join(folder.path, name)
  try {
    const found = lstatSync(folder.at(name), { throwIfNoEntry: false })
    if (found !== undefined) {
      if (!found.isFile() || found.nlink !== 1) throw unsafe(path, 'it is not a file of ours')
      return
    }
    const fd = openSync(folder.at(name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    giveTo(fd, { mode: 0o600, uid: folder.uid, gid: folder.gid })
    closeSync(fd)
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw failureOfWriting(error, path)
  }
}
