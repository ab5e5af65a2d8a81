import { kindOf, peopleKinds, type SessionKey } from '../../model/keys.ts'
import { placeOfResumed, turnSql } from '../statements/turns.ts'
import { first, type Steps, write } from '../steps.ts'
import { writeEnded } from './unwritten.ts'
import type { Work } from './work.ts'

/** What stands in a session's queue. */
export interface QueueHead {
  position: number | null
  place: number | null
  ready: number | null
  othersReady: number
  unwritten: number
}

/**
 * Keeps the ready rule: a session without a lease that has waiting turns has exactly one ready turn, the first in its
 * queue; a session with a lease has none. Called by every verb that changes a session's lease or queue; what ended while it
 * waited is then written down.
 */
export function* refreshReady(work: Work, sessionId: number, leased: boolean, atMs: number): Steps<void> {
  const { position, place, ready, othersReady, unwritten } = yield* queueHead(sessionId)
  const next = leased ? null : position
  if (othersReady === 1 || (leased && ready === 1)) yield* write(turnSql.demote, sessionId, next ?? 0)
  if (next !== null && ready === 0) yield* write(turnSql.promote, atMs, next)
  if (!leased && unwritten === 1) yield* writeEnded(work, sessionId, place ?? Number.MAX_SAFE_INTEGER, atMs)
}

export function* queueHead(sessionId: number): Steps<QueueHead> {
  return (yield* first<QueueHead>(turnSql.queueHead, sessionId)) as QueueHead
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
