import type { Lease } from '../model/holders.ts'
import type { Turn } from '../model/turns.ts'

export interface LeaseVerbs {
  listLeases(): Promise<Lease[]>
  /**
   * Every lease of a holder that is proven to have ended: the fence grows, its turn becomes `interrupted`, the
   * session's queue goes on. The caller brings the proof (P10).
   */
  expireLeases(input: { holderIds: string[]; atMs: number }): Promise<Turn[]>
}
