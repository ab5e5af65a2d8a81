import { timedId } from '../../host/random.ts'
import type { ErrorRecord } from '../../model/errors.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import type { LaneName } from '../../model/lanes.ts'
import { isSettled, type SettledStatus, type Turn } from '../../model/turns.ts'
import type { RevokeInput } from '../../store/turns.ts'
import { type SessionRow, type TurnRow, turnOf } from '../rows/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { first, type Steps, write } from '../steps.ts'
import { endRunning, endTurn, type HeldLease, type LeaseRow } from './ending.ts'
import { laneOrderOf, placeOf, refreshReady } from './queue.ts'
import { addEntries, unlessDamaged } from './transcript.ts'
import type { Work } from './work.ts'

/** @throws HoldfastError TURN_NOT_FOUND */
export function* findTurn(turnId: string): Steps<TurnRow> {
  const found = yield* first<TurnRow>(turnSql.byId, turnId)
  if (found === undefined) throw new HoldfastError('TURN_NOT_FOUND', { turnId })
  return found
}

function* readBack(turnId: string): Steps<Turn> {
  return turnOf(yield* findTurn(turnId))
}

/** A turn that was queued again already, also one that has run since, stays as it is. */
export function* requeueTurn(work: Work, input: { turnId: string; lane: LaneName; atMs: number }): Steps<Turn> {
  const turn = yield* findTurn(input.turnId)
  if (turn.status !== 'interrupted') return turnOf(turn)
  const { position, session } = turn
  const laneOrder = laneOrderOf(input.lane, position, turn.sessionKey)
  yield* write(turnSql.requeue, position, input.lane, placeOf.resumed(position), laneOrder, input.atMs)
  yield* write(sessionSql.queuedBy, session, 1)
  work.queue.total += 1
  yield* refreshReady(work, session, yield* isLeased(session), input.atMs)
  return yield* readBack(input.turnId)
}

function* isLeased(sessionId: number): Steps<boolean> {
  return ((yield* first<SessionRow>(sessionSql.byId, sessionId)) as SessionRow).running === 1
}

export function* cancelTurn(work: Work, input: { turnId: string; reason: string; atMs: number }): Steps<Turn> {
  const turn = yield* findTurn(input.turnId)
  const { status, position, settledAtMs, cancelRequested } = turn
  const repeated = status === 'cancelled' && settledAtMs === input.atMs && cancelRequested === input.reason
  if (repeated) return turnOf(turn)
  if (status === 'running') {
    yield* write(turnSql.requestCancel, position, input.reason)
    return yield* readBack(input.turnId)
  }
  const outcome = recordOf(new HoldfastError('TURN_CANCELLED', { by: 'request' }))
  return yield* endWaiting(work, turn, { status: 'cancelled', outcome, reason: input.reason, atMs: input.atMs })
}

export function* revokeTurn(work: Work, input: RevokeInput): Steps<Turn> {
  const turn = yield* findTurn(input.turnId)
  const { status, outcome, atMs } = input
  if (turn.status === status && turn.settledAtMs === atMs) return turnOf(turn)
  if (turn.status !== 'running') return yield* endWaiting(work, turn, { status, outcome, atMs })
  const lease = (yield* first<LeaseRow>(leaseSql.ofSession, turn.sessionKey)) as HeldLease
  const body = JSON.stringify({ code: outcome.code, text: outcome.message })
  const event = { id: timedId(atMs), kind: 'event' as const, body, tokens: 0 }
  const author = { turn: lease.turn, attempt: lease.attempts }
  const head = yield* unlessDamaged(work, () => addEntries(lease, author, [event], atMs))
  yield* endRunning(lease, { status, outcome, atMs }, head ?? lease.head)
  yield* write(sessionSql.fenceOff, lease.id)
  yield* write(sessionSql.touched, lease.id, atMs)
  yield* refreshReady(work, lease.id, false, atMs)
  return yield* readBack(input.turnId)
}

export function* quarantineTurn(
  work: Work,
  input: { turnId: string; outcome: ErrorRecord; atMs: number },
): Steps<Turn> {
  return yield* revokeTurn(work, { ...input, status: 'quarantined' })
}

interface WaitingEnd {
  status: SettledStatus
  outcome: ErrorRecord
  reason?: string
  atMs: number
}

/** Ends a turn that waits or was interrupted; the transcript says so when no other turn writes there. */
function* endWaiting(work: Work, turn: TurnRow, ending: WaitingEnd): Steps<Turn> {
  if (isSettled(turn.status)) throw new HoldfastError('TURN_SETTLED', { turnId: turn.id, status: turn.status })
  yield* endTurn(turn.position, ending)
  yield* write(turnSql.leaveUnwritten, turn.position)
  if (turn.status === 'queued') {
    yield* write(sessionSql.queuedBy, turn.session, -1)
    work.queue.total -= 1
  }
  yield* refreshReady(work, turn.session, yield* isLeased(turn.session), ending.atMs)
  return yield* readBack(turn.id)
}
