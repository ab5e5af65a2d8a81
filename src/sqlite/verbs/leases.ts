import type { SessionKey } from '../../model/keys.ts'
import type { Turn } from '../../model/turns.ts'
import { type TurnRow, turnOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { fenced, type HeldLease, type LeaseRow } from './ending.ts'
import { refreshReady } from './queue.ts'
import type { Work } from './work.ts'

export function recordProgress(
  work: Work,
  input: { key: SessionKey; fence: number; note: string; atMs: number },
): void {
  const changed = work.db.run(leaseSql.progress, input.key, input.fence, input.atMs, input.note)
  if (changed === 1) return
  throw fenced(input.fence, work.db.first<LeaseRow>(leaseSql.ofSession, input.key)?.fence ?? null)
}

export function expireLeases(
  work: Work,
  input: { holderIds: string[]; handedOver: boolean; limit: number; atMs: number },
): Turn[] {
  const { handedOver, limit, atMs } = input
  const holders = JSON.stringify(input.holderIds)
  const before = work.again ? work.db.all<TurnRow>(turnSql.interruptedAt, holders, atMs, limit) : []
  if (before.length > 0) return before.map(turnOf)
  const held = work.db.all<{ key: SessionKey }>(leaseSql.ofHolders, holders, limit)
  return held.map(({ key }) => interrupt(work, key, handedOver, atMs))
}

function interrupt(work: Work, key: SessionKey, handedOver: boolean, atMs: number): Turn {
  const lease = work.db.first<LeaseRow>(leaseSql.ofSession, key) as HeldLease
  work.db.run(turnSql.interrupt, lease.turn, atMs, lease.head, lease.progressMs, Number(handedOver))
  work.db.run(leaseSql.end, lease.id)
  work.db.run(sessionSql.fenceOff, lease.id)
  refreshReady(work, lease.id, false, atMs)
  return turnOf(work.db.first<TurnRow>(turnSql.byPosition, lease.turn) as TurnRow)
}
