import { type Turn, type WaitCause, waitCauses } from '../../model/turns.ts'

/** What is known of one claimed turn's wait. Times in milliseconds since the epoch. */
export interface WaitFacts {
  turn: Pick<Turn, 'admittedAtMs' | 'readyAtMs' | 'blockedBy' | 'attempts' | 'lane'>
  claimedAtMs: number
  /** When the engine found it interrupted; null when this is its first run. */
  interruptedAtMs: number | null
  /** When its lane was last seen without a slot for it or for its source; null when never. */
  laneFullUntilMs: number | null
  /** How much of the time until `claimedAtMs` the store could not write. */
  readOnlyMs: (fromMs: number, toMs: number) => number
}

/**
 * Milliseconds for every cause: 0 for those that did not hold it up. Before `readyAtMs` stood what the store named at
 * admission, after it a full lane or a full disk; what is left over is the time that the claim itself took.
 */
export function waitsOf(facts: WaitFacts): Record<WaitCause, number> {
  const waits = Object.fromEntries(waitCauses.map((cause) => [cause, 0])) as Record<WaitCause, number>
  const { turn, claimedAtMs } = facts
  if (facts.interruptedAtMs !== null) {
    waits.recovery = Math.max(0, claimedAtMs - facts.interruptedAtMs)
    return waits
  }
  const readyAtMs = Math.min(claimedAtMs, Math.max(turn.admittedAtMs, turn.readyAtMs ?? turn.admittedAtMs))
  const before =
    turn.blockedBy === null || turn.blockedBy === 'lane' || turn.blockedBy === 'disk' ? 'session' : turn.blockedBy
  waits[before] += Math.max(0, readyAtMs - turn.admittedAtMs)
  waits.disk = Math.min(claimedAtMs - readyAtMs, facts.readOnlyMs(readyAtMs, claimedAtMs))
  const inLaneMs = (facts.laneFullUntilMs ?? 0) - readyAtMs - waits.disk
  waits.lane = Math.max(0, Math.min(inLaneMs, claimedAtMs - readyAtMs - waits.disk))
  return waits
}
