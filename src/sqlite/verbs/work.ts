import type { Connection } from '../file/connection.ts'

/** What a verb of the writer works with: the transaction that it is a part of, and the state beside it. */
export interface Work {
  readonly db: Connection
  /** Turns that wait in the whole store; counted at open, then kept, because counting 100,000 at each admission is slow. */
  readonly queue: { total: number }
  /** Archives that are being put back by this process: `purge` leaves them their place. */
  readonly returning: Set<number>
  /** The batch is tried once more because the outcome of its first commit is unknown. */
  again: boolean
  /** Called before anything that makes the store grow and is not the end of acknowledged work. @throws STORE_FULL */
  requireRoom(): void
  /** The same for a probe, which looks at the disk again. @throws STORE_FULL */
  lookForRoom(): void
}
