import { laneNames } from '../../model/lanes.ts'
import type { LaneStatistics, StoreStatistics } from '../../store/upkeep.ts'
import { turnSql } from '../statements/turns.ts'
import { metaSql, statisticsSql } from '../statements/upkeep.ts'
import { all, first, type Steps } from '../steps.ts'
import type { Place } from './place.ts'

/** What the reader knows; the handle adds whether the store is writable and what it counted. */
export type ReadStatistics = Omit<StoreStatistics, 'writable' | 'fencedWrites' | 'logPinned'>

export function* statistics(_input: null, place: Place): Steps<ReadStatistics> {
  const sessions = yield* first<{ sessions: number; archived: number; entries: number }>(statisticsSql.sessions)
  const counts = yield* all<LaneStatistics & { interrupted: number }>(statisticsSql.lanes, JSON.stringify(laneNames))
  const lanes = counts.map(({ interrupted, ...lane }) => lane)
  const lastVerify = yield* first<{ value: string }>(metaSql.value, 'lastVerify')
  return {
    sessions: sessions?.sessions ?? 0,
    sessionsArchived: sessions?.archived ?? 0,
    entries: sessions?.entries ?? 0,
    turnsQueued: sum(lanes.map(({ queued }) => queued)),
    turnsRunning: sum(lanes.map(({ running }) => running)),
    turnsInterrupted: sum(counts.map(({ interrupted }) => interrupted)),
    lanes,
    bytes: yield* place.bytes(),
    lastVerify: lastVerify === undefined ? null : (JSON.parse(lastVerify.value) as { atMs: number; ok: boolean }),
    nextDueAtMs: (yield* first<{ atMs: number | null }>(turnSql.nextDue))?.atMs ?? null,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
