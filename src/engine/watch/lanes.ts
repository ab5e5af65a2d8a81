import type { SessionKey } from '../../model/keys.ts'
import type { LaneName, LaneRules } from '../../model/lanes.ts'
import type { WaitCause } from '../../model/turns.ts'
import type { LaneReading, Wait } from '../../store/waits.ts'
import type { RunProgress } from '../turns/run.ts'
import { causeOf } from '../why.ts'

/** How long the lanes are, what may run, who runs what, and who sent what waits. */
export interface LanesReport {
  /** Turns that run at once in one process, and how many of these only the user lane may take. */
  slots: number
  userSlots: number
  sourceShare: number
  lanes: LaneReport[]
  /** The longest running first; as many as are named. */
  running: LaneRun[]
  /** Running turns that are not named. */
  more: number
}

export interface LaneReport {
  lane: LaneName
  concurrency: number
  running: number
  waiting: number
  interrupted: number
  oldest: { turnId: string; sessionKey: SessionKey; waitedMs: number; cause: WaitCause } | null
  patienceMs: number
  waitLimitMs: number
  /** Sources with the most turns among the oldest that wait. */
  sources: { source: string; waiting: number }[]
}

interface LaneRun {
  turnId: string
  sessionKey: SessionKey
  lane: LaneName
  source: string
  pid: number
  host: string
  sinceMs: number
  lastProgressMs: number
  lastProgressNote: string
  stuck: boolean
}

export interface LanesFacts {
  reading: LaneReading
  rules: LaneRules
  /** What this process knows of a turn; null when it does not run it. */
  progressOf: (turnId: string) => RunProgress | null
  ownId: string
  writable: boolean
  stuckAfterMs: number
  nowMs: number
}

export function composeLanes(facts: LanesFacts): LanesReport {
  const { reading, rules, nowMs } = facts
  const { slots, userSlots, sourceShare } = rules
  const running = reading.running.map((run): LaneRun => {
    const { turnId, sessionKey, lane, source, holder } = run
    const known = facts.progressOf(turnId)
    return {
      ...{ turnId, sessionKey, lane, source, pid: holder.pid, host: holder.host },
      sinceMs: known?.sinceMs ?? run.takenAtMs,
      lastProgressMs: known?.atMs ?? run.progressAtMs,
      lastProgressNote: known?.note ?? run.progressNote,
      stuck: known?.stuck ?? nowMs - run.progressAtMs >= facts.stuckAfterMs,
    }
  })
  const lanes = reading.lanes.map(({ lane, queued, interrupted, running: runs, oldest, sources }): LaneReport => {
    const { concurrency, patienceMs, waitLimitMs } = rules.lanes[lane]
    return {
      ...{ lane, concurrency, running: runs, waiting: queued, interrupted },
      oldest: oldest === null ? null : oldestOf(oldest, facts),
      ...{ patienceMs, waitLimitMs, sources },
    }
  })
  const runs = lanes.reduce((sum, lane) => sum + lane.running, 0)
  return { slots, userSlots, sourceShare, lanes, running, more: Math.max(0, runs - running.length) }
}

function oldestOf(wait: Wait, { ownId, writable, nowMs }: LanesFacts): LaneReport['oldest'] {
  const { turnId, sessionKey, sinceMs } = wait
  const cause = causeOf({ ...wait, held: heldOf(wait, ownId) }, writable)
  return { turnId, sessionKey, waitedMs: Math.max(0, nowMs - sinceMs), cause }
}

/** Who has the session of a waiting turn, as seen from the holder with this id. */
export function heldOf({ heldBy }: Pick<Wait, 'heldBy'>, ownId: string): 'here' | 'elsewhere' | null {
  if (heldBy === null) return null
  return heldBy === ownId ? 'here' : 'elsewhere'
}
