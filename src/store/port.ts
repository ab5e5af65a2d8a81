import type { ErrorRecord } from '../model/errors.ts'
import type { Holder } from '../model/holders.ts'
import type { DeliveryVerbs } from './deliveries.ts'
import type { EntryVerbs } from './entries.ts'
import type { HolderVerbs } from './holders.ts'
import type { JobVerbs } from './jobs.ts'
import type { LeaseVerbs } from './leases.ts'
import type { RecoveryVerbs } from './recovery.ts'
import type { RetentionVerbs } from './retention.ts'
import type { SessionVerbs } from './sessions.ts'
import type { SummaryVerbs } from './summaries.ts'
import type { TurnVerbs } from './turns.ts'
import type { UpkeepVerbs } from './upkeep.ts'
import type { WaitVerbs } from './waits.ts'

/**
 * The store's port: verbs. Each is one short transaction, atomic, durable when its promise resolves, and bounded in
 * rows and bytes. There is no way to hold a transaction open, and no verb waits for anything but the disk (P1).
 *
 * Every write verb may be called again with the same arguments after an error whose outcome is unknown
 * (STORE_IO, a lost connection): ids, fences and expected heads make the repeat find its own earlier write.
 *
 * Every verb can throw STORE_FULL, STORE_IO, STORE_CORRUPT, STORE_CLOSED; every write verb STORE_READ_ONLY.
 * What a verb throws beyond that stands with it. Times are milliseconds since the epoch, given by the caller.
 */
export interface StoreVerbs
  extends SessionVerbs,
    EntryVerbs,
    TurnVerbs,
    LeaseVerbs,
    HolderVerbs,
    RecoveryVerbs,
    SummaryVerbs,
    DeliveryVerbs,
    JobVerbs,
    UpkeepVerbs,
    WaitVerbs,
    RetentionVerbs {
  close(): Promise<void>
}

/** The verbs, and what is known of the store that they act on. */
export interface Store extends StoreVerbs {
  /** Several processes may have it open at once, and see each other's work. */
  readonly shared: boolean
  /** What is to be added to this machine's clock for the one by which all processes of the store go; 0 where there is one process. Unit: ms. */
  readonly clockAheadMs: number
}

/** What an adapter measures of itself; every field in milliseconds or counts. */
export interface StoreTelemetry {
  /** From the call to the durable answer. */
  verb(name: keyof StoreVerbs, ms: number, ok: boolean): void
  /** One group commit: how long it took on the disk, and how many verbs it served. */
  commit(ms: number, verbs: number): void
  /** The store became read-only, or writable again. */
  writable(writable: boolean, because: ErrorRecord | null): void
}

/** How an adapter is opened: `sqliteStore(directory)` gives one of these. @throws every STORE_ code of opening */
export interface OpenStore {
  (input: { holder: Holder; telemetry: StoreTelemetry; atMs: number }): Promise<Store>
  /** Where its files are on this machine, when it has some: what commands read beside it is put there. */
  readonly directory?: string
}
