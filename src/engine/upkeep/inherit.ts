import { stateOf } from '../../host/process.ts'
import { isHoldfastError } from '../../model/errors.ts'
import type { Holder } from '../../model/holders.ts'
import { planExpiry } from '../../recovery/plan.ts'
import type { Ground } from '../ground.ts'

/** Leases taken in one transaction: a few milliseconds of the writer, between which new messages are admitted. */
const leasesMax = 50

/**
 * Marks what ended holders left running. A store that is not shared was opened by us alone, so that whoever else holds a lease has
 * ended. Of a shared one, the store says who has lapsed by its clock; and of a process of this very boot we see whether it runs.
 */
export async function expireEnded(ground: Ground): Promise<void> {
  const { store, holder } = ground
  const leases = await store.listLeases()
  const holders = leases.map((lease) => lease.holder)
  const seen = store.shared ? holders.filter((other) => isGone(other, holder)) : holders
  const proof = store.shared ? 'process' : 'exclusive owner'
  const ended = planExpiry({ holderIds: seen.map(({ id }) => id), ownId: holder.id, proof })
  await takeOver(ground, ended)
  if (!store.shared) return
  for (;;) {
    const turns = await store.expireLapsed({ holderId: holder.id, limit: leasesMax, atMs: ground.clock.nowMs() })
    if (turns.length === 0) return
    ground.log.warn({ turns: turns.length }, 'a gateway has not said for too long that it lives: its turns go on here')
  }
}

/** Names of machines may be the same; the boot and the namespace of processes are not. */
function isGone(other: Holder, own: Holder): boolean {
  const here = own.bootId !== null && other.bootId === own.bootId && other.pidNamespace === own.pidNamespace
  return here && stateOf({ ...other, host: own.host }) === 'has ended'
}

async function takeOver(ground: Ground, ended: string[]): Promise<void> {
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
