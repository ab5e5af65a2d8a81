import type { Entry } from '../model/entries.ts'
import type { Delivery, DeliveryStatus } from '../model/holders.ts'
import type { SessionKey } from '../model/keys.ts'

export interface DeliveryVerbs {
  /**
   * The oldest due delivery; it becomes `sending` and its attempt is counted before it is made. One that is due later than
   * `deliveryWaitMaxMs` from now is due.
   */
  claimDelivery(input: { atMs: number }): Promise<(Delivery & { reply: Entry[] }) | null>
  /** `pending` with a later time tries again; `failed` and `unknown` are final. */
  settleDelivery(input: {
    id: number
    status: Exclude<DeliveryStatus, 'sending'>
    error: string | null
    nextAttemptAtMs: number
  }): Promise<void>
  /** What is under way, then what waits, the next first; `limit` of each at most. With `key` of this session only. */
  listUnsent(input: { limit: number; key?: SessionKey }): Promise<Delivery[]>
  /** At start: what was `sending` when its process ended is `unknown`, never silently repeated. Gives how many. */
  markUnknownDeliveries(input: { atMs: number }): Promise<number>
}
