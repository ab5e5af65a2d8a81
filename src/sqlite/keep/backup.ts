import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, makeDirectory } from '../../host/files.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { BackupReport } from '../../store/upkeep.ts'
import { Connection } from '../database/connection.ts'
import { digestOf, writeCopy } from '../database/copy.ts'
import { databaseName } from '../database/directory.ts'
import { verify } from './verify.ts'

/** The copy is opened as a new process would open it, and checked in full, before it counts. */
export function backup(db: Connection, input: { directory: string; atMs: number }): BackupReport {
  prepare(input.directory)
  const path = join(input.directory, databaseName)
  writeCopy(db, path)
  const report = verifyCopy(path, input.atMs)
  if (!report.ok) {
    const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name)
    throw new HoldfastError('BACKUP_FAILED', { because: `the copy fails: ${failed.join(', ')}`, path })
  }
  return { path, ...digestOf(path), verify: report }
}

function prepare(directory: string): void {
  try {
    if (existsSync(directory) && readdirSync(directory).length > 0) {
      throw new HoldfastError('BACKUP_FAILED', { because: 'the directory is not empty', directory })
    }
    makeDirectory(directory)
  } catch (error) {
    if (isSystemError(error)) throw new HoldfastError('BACKUP_FAILED', { because: error.code ?? '', directory })
    throw error
  }
}

function verifyCopy(path: string, atMs: number) {
  const copy = new Connection(path, true)
  try {
    return verify(copy, { quick: false, atMs })
  } finally {
    copy.close()
  }
}
