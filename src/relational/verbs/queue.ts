import { kindOf, peopleKinds, type SessionKey } from '../../model/keys.ts'
import { placeOfResumed, turnSql } from '../statements/turns.ts'
import { first, type Steps, write } from '../steps.ts'
import { writeEnded } from './unwritten.ts'
import type { Work } from './work.ts'

interface QueueHead {
  position: number
  place: number
  ready: number
}

/**
 * Keeps the ready rule: a session without a lease that has waiting turns has exactly one ready turn, the first in its
 * queue; a session with a lease has none. Called by every verb that changes a session's lease or queue; what ended while it
 * waited is then written down.
 */
export function* refreshReady(work: Work, sessionId: number, leased: boolean, atMs: number): Steps<void> {
  const head = leased ? undefined : yield* first<QueueHead>(turnSql.queueHead, sessionId)
  yield* write(turnSql.demote, sessionId, head?.position ?? 0)
  if (head?.ready === 0) yield* write(turnSql.promote, atMs, head.position)
  if (!leased) yield* writeEnded(work, sessionId, head?.place ?? Number.MAX_SAFE_INTEGER, atMs)
}

/** Order within a session: as admitted; put first by `interrupt`, the newest such first of all; run again: last. */
export const placeOf = {
  queued: (position: number) => position,
  first: (position: number) => -position,
  resumed: (position: number) => placeOfResumed + position,
}

/** Order within a lane over sessions: oldest first, but what is run again after a restart newest first, people before all. */
export function laneOrderOf(lane: string, position: number, key: SessionKey): number {
  if (lane !== 'resume') return position
  return peopleKinds.includes(kindOf(key)) ? -placeOfResumed - position : -position
}
