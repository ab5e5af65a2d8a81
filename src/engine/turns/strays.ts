import { HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { Lease } from '../../model/holders.ts'
import type { Turn } from '../../model/turns.ts'
import type { Ground } from '../ground.ts'

/** On a shared store the next claim may still bring it: a connection that was lost is not a disk that failed. Unit: ms. */
const strayMs = { alone: 0, shared: 10_000 }

/** Since when turns are seen that nobody here runs, by the steady clock. */
export type Strays = Map<string, number>

/**
 * A claim whose answer was lost to a disk error may have been made: then its turn has this holder and nobody who runs
 * it. It ends as failed, so that its sender hears of it and its session goes on.
 */
export async function endStrays(
  { store, holder, clock, log }: Ground,
  seen: Strays,
  leases: readonly Lease[],
  runs: (turnId: string) => boolean,
  concluded: (turn: Turn) => void,
): Promise<void> {
  const strays = leases.filter((lease) => lease.holder.id === holder.id && !runs(lease.turnId))
  for (const turnId of seen.keys()) if (!strays.some((lease) => lease.turnId === turnId)) seen.delete(turnId)
  for (const { turnId } of strays) {
    const sinceMs = seen.get(turnId) ?? clock.steadyMs()
    seen.set(turnId, sinceMs)
    if (clock.steadyMs() - sinceMs < (store.shared ? strayMs.shared : strayMs.alone)) continue
    const outcome = recordOf(new HoldfastError('STORE_IO', { because: 'it is unknown whether the turn was started' }))
    try {
      concluded(await store.revokeTurn({ turnId, status: 'failed', outcome, atMs: clock.nowMs() }))
      log.warn({ turnId }, 'a turn whose start was lost to a disk error was ended')
    } catch (error) {
      if (!isHoldfastError(error, 'TURN_SETTLED')) throw error // it ended while the leases were read
    }
  }
}
