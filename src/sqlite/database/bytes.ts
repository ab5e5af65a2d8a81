import { statfsSync, statSync } from 'node:fs'
import { isSystemError } from '../../host/files.ts'
import { statisticsSql } from '../../relational/statements/upkeep.ts'
import { first, type Steps } from '../../relational/steps.ts'
import type { StoreStatistics } from '../../store/upkeep.ts'
import type { Connection } from './connection.ts'

/** What the database at this path takes, and what is left for it. */
export function* bytesOf(db: Connection, path: string): Steps<StoreStatistics['bytes']> {
  const pageBytes = Number(db.pragma('page_size'))
  const disk = statfsSync(path)
  return {
    database: Number(db.pragma('page_count')) * pageBytes,
    log: sizeOf(`${path}-wal`),
    free: Number(db.pragma('freelist_count')) * pageBytes,
    blobs: (yield* first<{ bytes: number }>(statisticsSql.blobs))?.bytes ?? 0,
    diskFree: disk.bavail * disk.bsize,
  }
}

/** By name: opening the file other than through SQLite would drop its locks. There is no log before the first write. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0
    throw error
  }
}
