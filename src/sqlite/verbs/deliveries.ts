import type { Delivery, DeliveryStatus } from '../../model/holders.ts'
import { breaksTransaction } from '../file/failures.ts'
import { replyOf, type StoredReply } from '../file/replies.ts'
import { type DeliveryRow, deliveryOf } from '../file/rows.ts'
import { deliverySql } from '../statements/deliveries.ts'
import type { Work } from './work.ts'

export type StoredDelivery = Delivery & StoredReply

/** `claim` names this call, as with a turn: what a lost answer had taken is given by the repeat. */
export function claimDelivery(work: Work, input: { atMs: number; claim: string }): StoredDelivery | null {
  const taken = work.db.first<DeliveryRow>(deliverySql.byClaim, input.claim)
  if (taken !== undefined) return withReply(work, taken)
  for (;;) {
    const due = work.db.first<{ id: number }>(deliverySql.due, input.atMs)
    if (due === undefined) return null
    work.db.run(deliverySql.take, input.claim, due.id)
    const delivery = withReply(work, work.db.first<DeliveryRow>(deliverySql.byClaim, input.claim) as DeliveryRow)
    if (delivery !== null) return delivery
    work.db.run(deliverySql.settle, due.id, 'failed', 'its reply cannot be read', input.atMs)
  }
}

/** Null when the reply cannot be read: that must not keep the deliveries behind it waiting. */
function withReply(work: Work, row: DeliveryRow): StoredDelivery | null {
  try {
    const reply = replyOf(work.db, row)
    for (const { body } of reply) JSON.parse(body)
    return { ...deliveryOf(row), reply }
  } catch (error) {
    if (breaksTransaction(error)) throw error
    return null
  }
}

export function settleDelivery(
  work: Work,
  input: {
    id: number
    status: Exclude<DeliveryStatus, 'sending'>
    error: string | null
    nextAttemptAtMs: number
  },
): void {
  work.db.run(deliverySql.settle, input.id, input.status, input.error, input.nextAttemptAtMs)
}

export function markUnknownDeliveries(work: Work, _input: { atMs: number }): number {
  return work.db.run(deliverySql.markUnknown)
}
