import type { HoldfastError } from '../../model/errors.ts'

/** What a writing verb works with beside its statements: the state of the store that is open, and the words of its database. */
export interface Work {
  /** Turns that wait in the whole store; counted at open, then kept, because counting 100,000 at each admission is slow. */
  readonly queue: { total: number }
  /** Archives that are being put back by this process: `purge` leaves them their place. */
  readonly returning: Set<number>
  /** The verb is tried once more because the outcome of its first commit is unknown. */
  again: boolean
  readonly failures: Failures
  /** Called before anything that makes the store grow and is not the end of acknowledged work. @throws STORE_FULL */
  requireRoom(): void
  /** The same for a probe, which looks at the disk again. @throws STORE_FULL */
  lookForRoom(): void
}

/** What an error of the database means. */
export interface Failures {
  failureOf(error: unknown): HoldfastError
  /** The transaction must not go on, whatever a savepoint could take back. */
  breaksTransaction(error: unknown): boolean
  /** No other statement of it works before its savepoint is taken back. */
  endsTransaction(error: unknown): boolean
}
