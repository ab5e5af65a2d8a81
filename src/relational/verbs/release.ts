import { HoldfastError } from '../../model/errors.ts'
import { laneOf } from '../../model/lanes.ts'
import type { Turn } from '../../model/turns.ts'
import { type SessionRow, type TurnRow, turnOf } from '../rows/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { releaseSql } from '../statements/recovery.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { all, first, insert, type Steps, write } from '../steps.ts'
import { blockedBy } from './admit.ts'
import type { LeaseRow } from './ending.ts'
import { laneOrderOf, placeOf, queueHead, refreshReady } from './queue.ts'
import { findTurn } from './turns.ts'
import type { Work } from './work.ts'

export function* releaseTurn(work: Work, input: { turnId: string; newTurnId: string; atMs: number }): Steps<Turn> {
  const old = yield* findTurn(input.turnId)
  if (old.releasedAs !== null) return turnOf(yield* findTurn(old.releasedAs))
  if (old.status !== 'quarantined') {
    throw new HoldfastError('TURN_NOT_QUARANTINED', { turnId: old.id, status: old.status })
  }
  work.requireRoom()
  const { running } = (yield* first<SessionRow>(sessionSql.byId, old.session)) as SessionRow
  const lease = running === 1 ? ((yield* first<LeaseRow>(leaseSql.ofSession, old.sessionKey)) as LeaseRow) : null
  yield* addTurn(old, lease, input)
  yield* write(releaseSql.released, old.position, input.newTurnId)
  yield* write(sessionSql.admitted, old.session, input.atMs)
  work.queue.total += 1
  yield* refreshReady(work, old.session, lease !== null, input.atMs)
  return turnOf(yield* findTurn(input.newTurnId))
}

function* addTurn(
  old: TurnRow,
  lease: LeaseRow | null,
  { newTurnId, atMs }: { newTurnId: string; atMs: number },
): Steps<void> {
  const { position } = (yield* first<{ position: number }>(turnSql.nextPosition)) as { position: number }
  const lane = old.lane === 'resume' ? laneOf(old.sessionKey) : old.lane // it is a new message now
  const place = placeOf.queued(position)
  const stands = blockedBy(yield* queueHead(old.session), place, lease)
  yield* write(
    releaseSql.addTurn,
    ...[old.position, position, newTurnId, lane, place, laneOrderOf(lane, position, old.sessionKey), stands, atMs],
  )
  const inbound = yield* all<{ id: number; dedupe: string | null }>(releaseSql.inbound, old.position)
  for (const [at, { id, dedupe }] of inbound.entries()) {
    const made = yield* insert(releaseSql.addInbound, id, position, at === 0 ? newTurnId : `${newTurnId}#${at + 1}`)
    if (dedupe === null) continue
    yield* write(releaseSql.setDedupe, id, null) // whoever asks with it again is given the new turn
    yield* write(releaseSql.setDedupe, made, dedupe)
  }
}
