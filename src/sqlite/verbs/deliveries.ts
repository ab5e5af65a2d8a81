import type { ErrorRecord } from '../../model/errors.ts'
import type { Delivery, DeliveryStatus } from '../../model/holders.ts'
import { replyOf, type StoredReply } from '../file/replies.ts'
import { deliverySql } from '../statements/deliveries.ts'
import type { Work } from './work.ts'

export type StoredDelivery = Delivery & StoredReply

interface DeliveryRow extends Omit<Delivery, 'outcome'> {
  /** JSON. */
  outcome: string | null
  turn: number
  session: number
  transcript: number | null
  replyFromSeq: number | null
  replyToSeq: number | null
}

/** `claim` names this call, as with a turn: what a lost answer had taken is given by the repeat. */
export function claimDelivery(work: Work, input: { atMs: number; claim: string }): StoredDelivery | null {
  const taken = work.db.first<DeliveryRow>(deliverySql.byClaim, input.claim)
  if (taken !== undefined) return deliveryOf(work, taken)
  const due = work.db.first<{ id: number }>(deliverySql.due, input.atMs)
  if (due === undefined) return null
  work.db.run(deliverySql.take, input.claim, due.id)
  return deliveryOf(work, work.db.first<DeliveryRow>(deliverySql.byClaim, input.claim) as DeliveryRow)
}

function deliveryOf(work: Work, row: DeliveryRow): StoredDelivery {
  const { turn, session, transcript, replyFromSeq, replyToSeq, ...delivery } = row
  const outcome = row.outcome === null ? null : (JSON.parse(row.outcome) as ErrorRecord)
  return { ...delivery, outcome, reply: replyOf(work.db, { session, transcript, replyFromSeq, replyToSeq }) }
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
