import { statfsSync, statSync } from 'node:fs'
import { isSystemError } from '../../host/files.ts'
import { laneNames } from '../../model/lanes.ts'
import type { LaneStatistics, StoreStatistics } from '../../store/upkeep.ts'
import type { Connection } from '../file/connection.ts'
import { turnSql } from '../statements/turns.ts'
import { metaSql, statisticsSql } from '../statements/upkeep.ts'

/** What the reader knows; the handle adds whether the store is writable and what it counted. */
export type ReadStatistics = Omit<StoreStatistics, 'writable' | 'fencedWrites' | 'logPinned'>

export function statistics(db: Connection, _input: null, path: string): ReadStatistics {
  const sessions = db.first<{ sessions: number; archived: number; entries: number }>(statisticsSql.sessions)
  const counts = db.all<LaneStatistics & { interrupted: number }>(statisticsSql.lanes, JSON.stringify(laneNames))
  const lanes = counts.map(({ interrupted, ...lane }) => lane)
  const lastVerify = db.first<{ value: string }>(metaSql.value, 'lastVerify')
  return {
    sessions: sessions?.sessions ?? 0,
    sessionsArchived: sessions?.archived ?? 0,
    entries: sessions?.entries ?? 0,
    turnsQueued: sum(lanes.map(({ queued }) => queued)),
    turnsRunning: sum(lanes.map(({ running }) => running)),
    turnsInterrupted: sum(counts.map(({ interrupted }) => interrupted)),
    lanes,
    bytes: bytesOf(db, path),
    lastVerify: lastVerify === undefined ? null : (JSON.parse(lastVerify.value) as { atMs: number; ok: boolean }),
    nextDueAtMs: db.first<{ atMs: number | null }>(turnSql.nextDue)?.atMs ?? null,
  }
}

export function bytesOf(db: Connection, path: string): StoreStatistics['bytes'] {
  const pageBytes = Number(db.pragma('page_size'))
  const disk = statfsSync(path)
  return {
    database: Number(db.pragma('page_count')) * pageBytes,
    log: sizeOf(`${path}-wal`),
    free: Number(db.pragma('freelist_count')) * pageBytes,
    blobs: db.first<{ bytes: number }>(statisticsSql.blobs)?.bytes ?? 0,
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

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
