import { HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { Lease } from '../../model/holders.ts'
import type { Turn } from '../../model/turns.ts'
import type { Ground } from '../ground.ts'

/**
 * A claim whose answer was lost to a disk error may have been made: then its turn has this holder and nobody who runs
 * it. It ends as failed, so that its sender hears of it and its session goes on.
 */
export async function endStrays(
  { store, holder, clock, log }: Ground,
  leases: readonly Lease[],
  runs: (turnId: string) => boolean,
  concluded: (turn: Turn) => void,
): Promise<void> {
  for (const { turnId } of leases.filter((lease) => lease.holder.id === holder.id && !runs(lease.turnId))) {
    const outcome = recordOf(new HoldfastError('STORE_IO', { because: 'it is unknown whether the turn was started' }))
    try {
      concluded(await store.revokeTurn({ turnId, status: 'failed', outcome, atMs: clock.nowMs() }))
      log.warn({ turnId }, 'a turn whose start was lost to a disk error was ended')
    } catch (error) {
      if (!isHoldfastError(error, 'TURN_SETTLED')) throw error // it ended while the leases were read
    }
  }
}
