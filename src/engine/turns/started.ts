import { waitCauses } from '../../model/turns.ts'
import type { Claim } from '../../store/turns.ts'
import type { Ground } from '../ground.ts'
import { waitsOf } from './waits.ts'

/** Tells that a turn runs, and what it waited for before. `openedAtMs`: of this engine; `laneFullUntilMs`: null when it never was. */
export function tellStarted(ground: Ground, claim: Claim, openedAtMs: number, laneFullUntilMs: number | null): void {
  const { telemetry, events, watch, clock } = ground
  const { turn, waitedMs } = claim
  const waits = waitsOf({
    turn,
    claimedAtMs: turn.startedAtMs ?? clock.nowMs(),
    interruptedAtMs: turn.attempts > 1 ? openedAtMs : null,
    laneFullUntilMs,
    readOnlyMs: (fromMs, toMs) => watch.readOnlyMs(fromMs, toMs),
  })
  for (const cause of waitCauses) telemetry.turnWaited(turn.lane, cause, waits[cause])
  const { sessionKey, id: turnId, attempts: attempt } = turn
  events.publish({ type: 'turn.started', sessionKey, turnId, attempt, waitedMs })
}
