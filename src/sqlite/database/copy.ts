import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError, syncDirectory } from '../../host/files.ts'
import { HoldfastError } from '../../model/errors.ts'
import { Connection } from './connection.ts'
import { failureOf, isSqliteError } from './failures.ts'

/**
 * A consistent copy of the database at a new path (0600), on disk and readable in every page, or no file at all.
 * @throws HoldfastError BACKUP_FAILED
 */
export function writeCopy(db: Connection, path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (isSystemError(error)) throw new HoldfastError('BACKUP_FAILED', { because: error.code ?? '', path })
    throw error
  }
  try {
    db.run('VACUUM INTO ?', path)
    sync(path)
    syncDirectory(dirname(path))
    checkCopy(path)
  } catch (error) {
    rmSync(path, { force: true })
    if (isSystemError(error)) throw new HoldfastError('BACKUP_FAILED', { because: error.code ?? '', path })
    if (isSqliteError(error)) throw new HoldfastError('BACKUP_FAILED', { because: failureOf(error).message, path })
    throw error
  }
}

function checkCopy(path: string): void {
  const copy = new Connection(path, true)
  try {
    const problems = copy.all<{ quick_check: string }>('PRAGMA quick_check(1)')
    const because = problems[0]?.quick_check ?? 'no answer'
    if (because !== 'ok') throw new HoldfastError('BACKUP_FAILED', { because, path })
  } finally {
    copy.close()
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const chunkBytes = 1024 ** 2

/** Size and SHA-256 of a file that no connection has open. */
export function digestOf(path: string): { bytes: number; sha256: string } {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(chunkBytes)
  const descriptor = openSync(path, 'r')
  try {
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      hash.update(chunk.subarray(0, read))
    }
  } finally {
    closeSync(descriptor)
  }
  return { bytes: statSync(path).size, sha256: hash.digest('hex') }
}
