import { HoldfastError } from '../../model/errors.ts'
import { laneOf } from '../../model/lanes.ts'
import type { Turn } from '../../model/turns.ts'
import { type SessionRow, type TurnRow, turnOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { releaseSql } from '../statements/recovery.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { blockedBy } from './admit.ts'
import type { LeaseRow } from './ending.ts'
import { laneOrderOf, placeOf, refreshReady } from './queue.ts'
import { findTurn } from './turns.ts'
import type { Work } from './work.ts'

export function releaseTurn(work: Work, input: { turnId: string; newTurnId: string; atMs: number }): Turn {
  const old = findTurn(work, input.turnId)
  if (old.releasedAs !== null) return turnOf(findTurn(work, old.releasedAs))
  if (old.status !== 'quarantined') {
    throw new HoldfastError('TURN_NOT_QUARANTINED', { turnId: old.id, status: old.status })
  }
  work.requireRoom()
  const { running } = work.db.first<SessionRow>(sessionSql.byId, old.session) as SessionRow
  const lease = running === 1 ? (work.db.first<LeaseRow>(leaseSql.ofSession, old.sessionKey) as LeaseRow) : null
  addTurn(work, old, lease, input)
  work.db.run(releaseSql.released, old.position, input.newTurnId)
  work.db.run(sessionSql.admitted, old.session, input.atMs)
  work.queue.total += 1
  refreshReady(work, old.session, lease !== null, input.atMs)
  return turnOf(findTurn(work, input.newTurnId))
}

function addTurn(
  work: Work,
  old: TurnRow,
  lease: LeaseRow | null,
  { newTurnId, atMs }: { newTurnId: string; atMs: number },
): void {
  const { db } = work
  const { position } = db.first<{ position: number }>(turnSql.nextPosition) as { position: number }
  const lane = old.lane === 'resume' ? laneOf(old.sessionKey) : old.lane // it is a new message now
  const place = placeOf.queued(position)
  const stands = blockedBy(work, old.session, place, lease)
  db.run(
    releaseSql.addTurn,
    ...[old.position, position, newTurnId, lane, place, laneOrderOf(lane, position, old.sessionKey), stands, atMs],
  )
  const inbound = db.all<{ id: number; dedupe: string | null }>(releaseSql.inbound, old.position)
  for (const [at, { id, dedupe }] of inbound.entries()) {
    const made = db.insert(releaseSql.addInbound, id, position, at === 0 ? newTurnId : `${newTurnId}#${at + 1}`)
    if (dedupe === null) continue
    db.run(releaseSql.setDedupe, id, null) // whoever asks with it again is given the new turn
    db.run(releaseSql.setDedupe, made, dedupe)
  }
}
