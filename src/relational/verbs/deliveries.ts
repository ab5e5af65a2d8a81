import type { Delivery, DeliveryStatus } from '../../model/holders.ts'
import { replyOf, type StoredReply } from '../rows/replies.ts'
import { type DeliveryRow, deliveryOf } from '../rows/rows.ts'
import { deliverySql } from '../statements/deliveries.ts'
import { first, run, type Steps, write } from '../steps.ts'
import type { Work } from './work.ts'

export type StoredDelivery = Delivery & StoredReply

/** `claim` names this call, as with a turn: what a lost answer had taken is given by the repeat. */
export function* claimDelivery(work: Work, input: { atMs: number; claim: string }): Steps<StoredDelivery | null> {
  const taken = yield* first<DeliveryRow>(deliverySql.byClaim, input.claim)
  if (taken !== undefined) return yield* withReply(work, taken)
  for (;;) {
    const due = yield* first<{ id: number }>(deliverySql.due, input.atMs)
    if (due === undefined) return null
    yield* write(deliverySql.take, input.claim, due.id)
    const delivery = yield* withReply(
      work,
      (yield* first<DeliveryRow>(deliverySql.byClaim, input.claim)) as DeliveryRow,
    )
    if (delivery !== null) return delivery
    yield* write(deliverySql.settle, due.id, 'failed', 'its reply cannot be read', input.atMs)
  }
}

/** Null when the reply cannot be read: that must not keep the deliveries behind it waiting. */
function* withReply(work: Work, row: DeliveryRow): Steps<StoredDelivery | null> {
  try {
    const reply = yield* replyOf(row)
    for (const { body } of reply) JSON.parse(body)
    return { ...deliveryOf(row), reply }
  } catch (error) {
    if (work.failures.breaksTransaction(error)) throw error
    return null
  }
}

export function* settleDelivery(
  _work: Work,
  input: {
    id: number
    status: Exclude<DeliveryStatus, 'sending'>
    error: string | null
    nextAttemptAtMs: number
  },
): Steps<void> {
  yield* write(deliverySql.settle, input.id, input.status, input.error, input.nextAttemptAtMs)
}

export function* markUnknownDeliveries(_work: Work, _input: { atMs: number }): Steps<number> {
  return yield* run(deliverySql.markUnknown)
}
