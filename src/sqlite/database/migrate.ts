import { dirname, join } from 'node:path'
import { makeDirectory } from '../../host/files.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { Connection } from './connection.ts'
import { writeCopy } from './copy.ts'
import { applicationId, tables, tablesOfVersion2, views } from './schema.ts'

/** One step of the format, forward only. `to` is the schema version after it. */
export interface Migration {
  to: number
  sql: string
}

export const migrations: readonly Migration[] = [
  { to: 1, sql: tables },
  { to: 2, sql: tablesOfVersion2 },
]

const dropViews = 'DROP VIEW IF EXISTS v_session; DROP VIEW IF EXISTS v_entry; DROP VIEW IF EXISTS v_turn;'

/**
 * Afterwards the schema is that of the last step: all steps in one transaction, and a verified copy of what was there
 * before in `backups/`. @throws HoldfastError STORE_NEWER, BACKUP_FAILED; then nothing has changed
 */
export function migrate(db: Connection, path: string, steps: readonly Migration[], atMs: number): void {
  const found = Number(db.pragma('user_version'))
  const supported = steps.at(-1)?.to ?? 0
  if (found > supported) throw new HoldfastError('STORE_NEWER', { found, supported })
  if (found === supported) return
  if (found > 0) copyBefore(db, path, supported, atMs)
  db.script('BEGIN IMMEDIATE')
  try {
    for (const step of steps.filter(({ to }) => to > found)) db.script(step.sql)
    db.script(`${dropViews} ${views}`)
    db.script(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${supported}`)
    db.script('COMMIT')
  } catch (error) {
    if (db.database.isTransaction) db.script('ROLLBACK')
    throw error
  }
}

function copyBefore(db: Connection, path: string, version: number, atMs: number): void {
  const directory = join(dirname(path), 'backups')
  makeDirectory(directory)
  const stamp = new Date(atMs).toISOString().replaceAll(/[:.]/g, '-')
  writeCopy(db, join(directory, `before-v${version}-${stamp}.sqlite`))
}
