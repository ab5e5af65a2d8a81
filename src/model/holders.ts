import type { ErrorRecord } from './errors.ts'
import type { SessionKey } from './keys.ts'

/** One gateway process. Process facts are compared only where boot id and pid namespace agree. */
export interface Holder {
  /** Random for each start. */
  id: string
  host: string
  bootId: string | null
  pidNamespace: string | null
  pid: number
  /** Clock ticks since boot when the process started; null where the system does not tell. */
  startTicks: number | null
  sinceMs: number
}

/** The right to run turns of one session. */
export interface Lease {
  sessionKey: SessionKey
  turnId: string
  fence: number
  operation: LeaseOperation
  holder: Holder
  takenAtMs: number
  progressAtMs: number
  progressNote: string
}

/** Only turns need a lease. Compaction has none: that is promise P2. */
export const leaseOperations = ['turn'] as const
type LeaseOperation = (typeof leaseOperations)[number]

/** A reply, or why there is none, on its way out to a channel. `unknown`: the process ended between the attempt and its result. */
export const deliveryStatuses = ['pending', 'sending', 'sent', 'failed', 'unknown'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** No back-off is longer; a delivery that is due later than that was put off before a clock was set back. */
export const deliveryWaitMaxMs = 86_400_000

export interface Delivery {
  id: number
  turnId: string
  sessionKey: SessionKey
  /** Where to: the builder's own words, for example `telegram:42`. */
  target: string
  status: DeliveryStatus
  attempts: number
  /** Why the turn has no reply; null when it is done. */
  outcome: ErrorRecord | null
  nextAttemptAtMs: number
  error: string | null
}
