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
import { statisticsSql } from '../statements/upkeep.ts'
import { waitSql } from '../statements/waits.ts'
import { all, first, type Steps } from '../steps.ts'
import { findSession, pageMax } from './sessions.ts'

export function* listWaits({ lane, status, after, beganByMs, limit }: WaitQuery): Steps<Wait[]> {
  const place = [after?.sinceMs ?? 0, after?.position ?? 0]
  const rows = yield* all<Omit<Wait, 'first'> & { first: number }>(
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

export function* readLanes(): Steps<LaneReading> {
  const counts = yield* all<LaneStatistics & { interrupted: number }>(statisticsSql.lanes, JSON.stringify(laneNames))
  const lanes: LaneReading['lanes'] = []
  for (const { lane, queued, interrupted, running } of counts) {
    const first = { lane, status: 'queued', after: null, beganByMs: Number.MAX_SAFE_INTEGER, limit: 1 } as const
    const oldest = (yield* listWaits(first))[0] ?? null
    const sources = yield* all<{ source: string; waiting: number }>(waitSql.sources, lane, sourcesAmongMax, sourcesMax)
    lanes.push({ lane, queued, interrupted, running, oldest, sources })
  }
  const running = (yield* all<RunningRow>(waitSql.running, runningMax)).map(({ holderId, pid, host, ...row }) => ({
    ...row,
    holder: { id: holderId, pid, host },
  }))
  return { lanes, running }
}

export function* readQueue(key: SessionKey): Steps<QueueReading> {
  const { id } = yield* findSession(key)
  const found = yield* first<{ waiting: number; oldestAtMs: number | null }>(waitSql.ofSession, id)
  const next = yield* first<{ lane: string; queuedMs: number; position: number }>(waitSql.nextOfSession, id)
  const ahead =
    next === undefined
      ? undefined
      : yield* first<{ count: number }>(waitSql.before, next.lane, next.queuedMs, next.position)
  return { waiting: found?.waiting ?? 0, oldestAtMs: found?.oldestAtMs ?? null, aheadInLane: ahead?.count ?? 0 }
}
