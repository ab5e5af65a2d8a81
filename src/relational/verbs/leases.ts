import type { SessionKey } from '../../model/keys.ts'
import type { Turn } from '../../model/turns.ts'
import { type TurnRow, turnOf } from '../rows/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { all, first, run, type Steps, write } from '../steps.ts'
import { fenced, type HeldLease, type LeaseRow } from './ending.ts'
import { refreshReady } from './queue.ts'
import type { Work } from './work.ts'

export function* recordProgress(
  _work: Work,
  input: { key: SessionKey; fence: number; note: string; atMs: number },
): Steps<void> {
  const changed = yield* run(leaseSql.progress, input.key, input.fence, input.atMs, input.note)
  if (changed === 1) return
  throw fenced(input.fence, (yield* first<LeaseRow>(leaseSql.ofSession, input.key))?.fence ?? null)
}

export function* expireLapsed(
  work: Work,
  { holderId, limit, atMs }: { holderId: string; limit: number; atMs: number },
): Steps<Turn[]> {
  return yield* interruptAll(work, yield* all<HeldKey>(leaseSql.ofLapsed, holderId, limit), false, atMs)
}

interface HeldKey {
  key: SessionKey
}

export function* expireLeases(
  work: Work,
  input: { holderIds: string[]; handedOver: boolean; limit: number; atMs: number },
): Steps<Turn[]> {
  const { handedOver, limit, atMs } = input
  const holders = JSON.stringify(input.holderIds)
  const before = work.again ? yield* all<TurnRow>(turnSql.interruptedAt, holders, atMs, limit) : []
  if (before.length > 0) return before.map(turnOf)
  return yield* interruptAll(work, yield* all<HeldKey>(leaseSql.ofHolders, holders, limit), handedOver, atMs)
}

function* interruptAll(work: Work, held: readonly HeldKey[], handedOver: boolean, atMs: number): Steps<Turn[]> {
  const turns: Turn[] = []
  for (const { key } of held) turns.push(yield* interrupt(work, key, handedOver, atMs))
  return turns
}

function* interrupt(work: Work, key: SessionKey, handedOver: boolean, atMs: number): Steps<Turn> {
  const lease = (yield* first<LeaseRow>(leaseSql.ofSession, key)) as HeldLease
  yield* write(turnSql.interrupt, lease.turn, atMs, lease.head, lease.progressMs, Number(handedOver))
  yield* write(leaseSql.end, lease.id)
  yield* write(sessionSql.fenceOff, lease.id)
  yield* refreshReady(work, lease.id, false, atMs)
  return turnOf((yield* first<TurnRow>(turnSql.byPosition, lease.turn)) as TurnRow)
}
