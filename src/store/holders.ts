import type { Holder } from '../model/holders.ts'
import type { Turn } from '../model/turns.ts'

/**
 * What several processes that work on one store must know of each other. Whether one of them lives is judged by the clock of the
 * database, which all of them share. A store that one process owns knows nobody else: it gives empty lists, and every duty is its
 * owner's.
 */
export interface HolderVerbs {
  /** Where other processes reach this one, and what they show it. */
  announce(input: { holderId: string; address: string | null; token: string | null }): Promise<void>
  /** Those that have not lapsed. */
  listHolders(): Promise<LivingHolder[]>
  /**
   * The newest `limit` leases of others that have not said for too long that they live: as `expireLeases`, but the store itself judges, and
   * in the same step. None are left when it gives none.
   */
  expireLapsed(input: { holderId: string; limit: number; atMs: number }): Promise<Turn[]>
  /** True: what is named is this process's to do, until it ends or lapses. */
  takeDuty(input: { duty: string; holderId: string }): Promise<boolean>
}

export interface LivingHolder extends Holder {
  address: string | null
  token: string | null
  /** Since it last said that it lives, by the clock of the database. */
  renewedMsAgo: number
}
