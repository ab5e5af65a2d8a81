import type { Lease } from '../model/holders.ts'
import type { Turn } from '../model/turns.ts'

export interface LeaseVerbs {
  listLeases(): Promise<Lease[]>
  /**
   * The newest `limit` leases of holders that are proven to have ended: the fence grows, the turn becomes `interrupted`, the
   * session's queue goes on. `handedOver`: the holder itself ends cleanly, and the attempt does not count towards
   * quarantine. Gives these turns; none are left when it gives none. The caller brings the proof (P10).
   */
  expireLeases(input: { holderIds: string[]; handedOver: boolean; limit: number; atMs: number }): Promise<Turn[]>
}
