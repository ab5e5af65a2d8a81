import type { SessionKey } from '../../model/keys.ts'
import { laneNames } from '../../model/lanes.ts'
import type { LaneStatistics } from '../../store/upkeep.ts'
import {
  type LaneReading,
  type QueueReading,
  type RunningNow,
  runningMax,
  sourcesAmongMax,
  sourcesMax,
  type Wait,
  type WaitQuery,
} from '../../store/waits.ts'
import type { Connection } from '../file/connection.ts'
import { statisticsSql } from '../statements/upkeep.ts'
import { waitSql } from '../statements/waits.ts'
import { findSession, pageMax } from './sessions.ts'

export function listWaits(db: Connection, { lane, status, after, beganByMs, limit }: WaitQuery): Wait[] {
  const place = [after?.sinceMs ?? 0, after?.position ?? 0]
  const rows = db.all<Omit<Wait, 'first'> & { first: number }>(
    status === 'queued' ? waitSql.queued : waitSql.interrupted,
    ...[lane, ...place, beganByMs, Math.min(limit, pageMax)],
  )
  return rows.map((row) => ({ ...row, first: row.first === 1 }))
}

interface RunningRow extends Omit<RunningNow, 'holder'> {
  holderId: string
  pid: number
  host: string
}

export function readLanes(db: Connection): LaneReading {
  const counts = db.all<LaneStatistics & { interrupted: number }>(statisticsSql.lanes, JSON.stringify(laneNames))
  const lanes = counts.map(({ lane, queued, interrupted, running }) => ({
    ...{ lane, queued, interrupted, running },
    oldest:
      listWaits(db, { lane, status: 'queued', after: null, beganByMs: Number.MAX_SAFE_INTEGER, limit: 1 })[0] ?? null,
    sources: db.all<{ source: string; waiting: number }>(waitSql.sources, lane, sourcesAmongMax, sourcesMax),
  }))
  const running = db.all<RunningRow>(waitSql.running, runningMax).map(({ holderId, pid, host, ...row }) => ({
    ...row,
    holder: { id: holderId, pid, host },
  }))
  return { lanes, running }
}

export function readQueue(db: Connection, key: SessionKey): QueueReading {
  const { id } = findSession(db, key)
  const found = db.first<{ waiting: number; oldestAtMs: number | null }>(waitSql.ofSession, id)
  const next = db.first<{ lane: string; queuedMs: number; position: number }>(waitSql.nextOfSession, id)
  const ahead =
    next === undefined
      ? undefined
      : db.first<{ count: number }>(waitSql.before, next.lane, next.queuedMs, next.position)
  return { waiting: found?.waiting ?? 0, oldestAtMs: found?.oldestAtMs ?? null, aheadInLane: ahead?.count ?? 0 }
}
