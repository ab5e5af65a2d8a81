import { type ErrorRecord, HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { SettledStatus, Usage } from '../../model/turns.ts'
import { deliverySql } from '../statements/deliveries.ts'
import { leaseSql } from '../statements/leases.ts'
import { turnSql } from '../statements/turns.ts'
import { first, type Steps, write } from '../steps.ts'
import { type Head, hideRange, recountContext } from './transcript.ts'

/** A session's row joined with its lease; the lease's columns are null when nobody has it. */
export interface LeaseRow extends Head {
  key: SessionKey
  transcript: number
  leaseFence: number | null
  turn: number | null
  operation: string | null
  progressMs: number | null
  turnId: string | null
  attempts: number | null
  /** The turn's own messages. */
  askedFrom: number | null
  askedTo: number | null
  /** What this attempt writes begins here. */
  attemptFrom: number | null
}

/** What a holder's write needs of it. */
export interface HeldLease extends LeaseRow {
  turn: number
  turnId: string
  attempts: number
  askedFrom: number
  askedTo: number
  attemptFrom: number
}

export function leaseOf(key: SessionKey): Steps<LeaseRow | undefined> {
  return first<LeaseRow>(leaseSql.ofSession, key)
}

/** The lease, if this very turn holds it under this fence. @throws HoldfastError FENCED */
export function requireHeld(lease: LeaseRow | undefined, input: { turnId: string; fence: number }): HeldLease {
  const holds = lease?.turn !== null && lease?.turnId === input.turnId && lease.leaseFence === input.fence
  if (!holds || lease.fence !== input.fence) throw fenced(input.fence, lease?.fence ?? null)
  return lease as HeldLease
}

export function fenced(fence: number, current: number | null): HoldfastError {
  return new HoldfastError('FENCED', { fence, current })
}

/** How a turn ended. */
export interface Ending {
  status: SettledStatus
  outcome: ErrorRecord | null
  /** Why it was asked to stop, when nobody had asked before. */
  reason?: string
  finishReason?: string | null
  usage?: Usage | null
  reply?: { from: number; to: number } | null
  /** Of the holder that settles; absent when others end the turn. */
  fence?: number
  atMs: number
}

/** Ends the turn that holds a session's lease, and the lease. The session's row is the caller's to change. */
export function* endRunning(lease: LeaseRow, ending: Ending, head: number = lease.head): Steps<void> {
  const { turn, askedFrom, askedTo, attemptFrom } = lease as HeldLease
  yield* endTurn(turn, ending, { attemptTo: head, progressMs: lease.progressMs })
  yield* write(leaseSql.end, lease.id)
  if (ending.outcome?.code !== 'MODEL_REJECTED') return
  // what the model refused once, it would refuse with every later message of the session
  yield* hideRange(lease.transcriptId, askedFrom, askedTo)
  yield* hideRange(lease.transcriptId, attemptFrom, head)
  yield* recountContext(lease.id)
}

/** Ends a turn's row, and sends word where that is wanted; `ran` is absent when no attempt is under way. */
export function* endTurn(
  position: number,
  ending: Ending,
  ran: { attemptTo: number | null; progressMs: number | null } = { attemptTo: null, progressMs: null },
): Steps<void> {
  const { status, outcome, finishReason, usage, reply, atMs } = ending
  yield* write(
    turnSql.settle,
    ...[position, status, atMs, outcome === null ? null : JSON.stringify(outcome), finishReason ?? null],
    ...[usage ? JSON.stringify(usage) : null, reply?.from ?? null, reply?.to ?? null, ran.attemptTo, ran.progressMs],
    ...[ending.reason ?? null, ending.fence ?? null],
  )
  const isTold = status === 'done' ? reply != null : status !== 'cancelled'
  if (isTold) yield* write(deliverySql.add, position, atMs)
}
