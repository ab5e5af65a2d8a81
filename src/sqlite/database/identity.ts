import { statSync } from 'node:fs'
import { HoldfastError } from '../../model/errors.ts'
import { Connection } from './connection.ts'
import { isNotADatabase, needsRollback } from './failures.ts'
import { applicationId } from './schema.ts'

/**
 * Is the file a Holdfast store? Only looks, unless a process ended in the middle of its first write: then that is rolled
 * back, which changes nothing of a file that was whole. For its owner. An empty file is one that has not been begun.
 * @throws HoldfastError STORE_FOREIGN, STORE_CORRUPT when `usedBefore` says that it was ours
 */
export function checkIdentity(path: string, usedBefore: boolean): void {
  if (statSync(path).size === 0) return
  try {
    look(path, true)
  } catch (error) {
    if (isNotADatabase(error) && !usedBefore) throw new HoldfastError('STORE_FOREIGN', { path })
    if (!needsRollback(error)) throw error
    look(path, false)
  }
}

function look(path: string, readOnly: boolean): void {
  const connection = new Connection(path, readOnly)
  try {
    checkApplication(connection, path)
  } finally {
    connection.close()
  }
}

/** @throws HoldfastError STORE_FOREIGN */
export function checkApplication(connection: Connection, path: string): void {
  const found = Number(connection.pragma('application_id'))
  const { tables } = connection.first<{ tables: number }>('SELECT count(*) AS tables FROM sqlite_schema') ?? {
    tables: 0,
  }
  if (found !== applicationId && (found !== 0 || tables > 0)) throw new HoldfastError('STORE_FOREIGN', { path })
}
