import { timedId } from '../../host/random.ts'
import type { ErrorRecord } from '../../model/errors.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import type { LaneName } from '../../model/lanes.ts'
import { isSettled, type SettledStatus, type Turn } from '../../model/turns.ts'
import type { RevokeInput } from '../../store/turns.ts'
import { type SessionRow, type TurnRow, turnOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { endRunning, endTurn, type HeldLease, type LeaseRow } from './ending.ts'
import { laneOrderOf, placeOf, refreshReady } from './queue.ts'
import { addEntries, unlessDamaged } from './transcript.ts'
import type { Work } from './work.ts'

/** @throws HoldfastError TURN_NOT_FOUND */
export function findTurn(work: Work, turnId: string): TurnRow {
  const found = work.db.first<TurnRow>(turnSql.byId, turnId)
  if (found === undefined) throw new HoldfastError('TURN_NOT_FOUND', { turnId })
  return found
}

const readBack = (work: Work, turnId: string): Turn => turnOf(findTurn(work, turnId))

/** A turn that was queued again already, also one that has run since, stays as it is. */
export function requeueTurn(work: Work, input: { turnId: string; lane: LaneName; atMs: number }): Turn {
  const turn = findTurn(work, input.turnId)
  if (turn.status !== 'interrupted') return turnOf(turn)
  const { position, session } = turn
  const laneOrder = laneOrderOf(input.lane, position, turn.sessionKey)
  work.db.run(turnSql.requeue, position, input.lane, placeOf.resumed(position), laneOrder, input.atMs)
  work.db.run(sessionSql.queuedBy, session, 1)
  work.queue.total += 1
  refreshReady(work, session, isLeased(work, session), input.atMs)
  return readBack(work, input.turnId)
}

function isLeased(work: Work, sessionId: number): boolean {
  return (work.db.first<SessionRow>(sessionSql.byId, sessionId) as SessionRow).running === 1
}

export function cancelTurn(work: Work, input: { turnId: string; reason: string; atMs: number }): Turn {
  const turn = findTurn(work, input.turnId)
  const { status, position, settledAtMs, cancelRequested } = turn
  const repeated = status === 'cancelled' && settledAtMs === input.atMs && cancelRequested === input.reason
  if (repeated) return turnOf(turn)
  if (status === 'running') {
    work.db.run(turnSql.requestCancel, position, input.reason)
    return readBack(work, input.turnId)
  }
  const outcome = recordOf(new HoldfastError('TURN_CANCELLED', { by: 'request' }))
  return endWaiting(work, turn, { status: 'cancelled', outcome, reason: input.reason, atMs: input.atMs })
}

export function revokeTurn(work: Work, input: RevokeInput): Turn {
  const turn = findTurn(work, input.turnId)
  const { status, outcome, atMs } = input
  if (turn.status === status && turn.settledAtMs === atMs) return turnOf(turn)
  if (turn.status !== 'running') return endWaiting(work, turn, { status, outcome, atMs })
  const lease = work.db.first<LeaseRow>(leaseSql.ofSession, turn.sessionKey) as HeldLease
  const body = JSON.stringify({ code: outcome.code, text: outcome.message })
  const event = { id: timedId(atMs), kind: 'event' as const, body, tokens: 0 }
  let { head } = lease
  unlessDamaged(work.db, () => {
    head = addEntries(work.db, lease, { turn: lease.turn, attempt: lease.attempts }, [event], atMs)
  })
  endRunning(work, lease, { status, outcome, atMs }, head)
  work.db.run(sessionSql.fenceOff, lease.id)
  work.db.run(sessionSql.touched, lease.id, atMs)
  refreshReady(work, lease.id, false, atMs)
  return readBack(work, input.turnId)
}

export function quarantineTurn(work: Work, input: { turnId: string; outcome: ErrorRecord; atMs: number }): Turn {
  return revokeTurn(work, { ...input, status: 'quarantined' })
}

interface WaitingEnd {
  status: SettledStatus
  outcome: ErrorRecord
  reason?: string
  atMs: number
}

/** Ends a turn that waits or was interrupted; the transcript says so when no other turn writes there. */
function endWaiting(work: Work, turn: TurnRow, ending: WaitingEnd): Turn {
  if (isSettled(turn.status)) throw new HoldfastError('TURN_SETTLED', { turnId: turn.id, status: turn.status })
  endTurn(work, turn.position, ending)
  work.db.run(turnSql.leaveUnwritten, turn.position)
  if (turn.status === 'queued') {
    work.db.run(sessionSql.queuedBy, turn.session, -1)
    work.queue.total -= 1
  }
  refreshReady(work, turn.session, isLeased(work, turn.session), ending.atMs)
  return readBack(work, turn.id)
}
