import { isHoldfastError } from '../../model/errors.ts'
import { planExpiry } from '../../recovery/plan.ts'
import type { Ground } from '../ground.ts'

/** Leases taken in one transaction: a few milliseconds of the writer, between which new messages are admitted. */
const leasesMax = 50

/**
 * Marks what ended holders left running. The adapters there are open the store exclusively, so that whoever holds a
 * lease and is not this process has ended.
 */
export async function expireEnded(ground: Ground): Promise<void> {
  const leases = await ground.store.listLeases()
  const holderIds = leases.map((lease) => lease.holder.id)
  const ended = planExpiry({ holderIds, ownId: ground.holder.id, proof: 'exclusive owner' })
  if (ended.length === 0) return
  const turns = await expire(ground, ended, false)
  ground.log.warn({ turns, holders: ended.length }, 'an earlier process ended while these turns ran')
}

/** What still runs in the store is ours, and we end cleanly: the next start need not find that out. */
export async function handOver(ground: Ground): Promise<void> {
  const { store, holder, clock } = ground
  try {
    await expire(ground, [holder.id], true)
    await store.recordEnd({ holderId: holder.id, atMs: clock.nowMs() })
  } catch (error) {
    const expected = ['STORE_FULL', 'STORE_IO', 'STORE_CORRUPT', 'STORE_CLOSED', 'STORE_READ_ONLY'] as const
    if (!expected.some((code) => isHoldfastError(error, code))) throw error // the next start does it
  }
}

/** Gives how many. */
async function expire({ store, clock }: Ground, holderIds: string[], handedOver: boolean): Promise<number> {
  for (let turns = 0; ; ) {
    const expired = await store.expireLeases({ holderIds, handedOver, limit: leasesMax, atMs: clock.nowMs() })
    if (expired.length === 0) return turns
    turns += expired.length
  }
}
