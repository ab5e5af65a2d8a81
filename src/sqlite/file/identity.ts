import { statSync } from 'node:fs'
import { HoldfastError } from '../../model/errors.ts'
import { Connection } from './connection.ts'
import { isNotADatabase } from './failures.ts'
import { applicationId } from './schema.ts'

/**
 * Is the file a Holdfast store? Only looks. An empty file is one that has not been begun.
 * @throws HoldfastError STORE_FOREIGN, STORE_CORRUPT when `usedBefore` says that it was ours
 */
export function checkIdentity(path: string, usedBefore: boolean): void {
  if (statSync(path).size === 0) return
  const connection = new Connection(path, true)
  try {
    checkApplication(connection, path)
  } catch (error) {
    if (isNotADatabase(error) && !usedBefore) throw new HoldfastError('STORE_FOREIGN', { path })
    throw error
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
