import { HoldfastError } from '../../model/errors.ts'
import type { OpenStore, StoreVerbs } from '../../store/port.ts'
import { entryVerbs } from './entries.ts'
import { jobVerbs } from './jobs.ts'
import { recoveryVerbs } from './recovery.ts'
import { retentionVerbs } from './retention.ts'
import { sessionVerbs } from './sessions.ts'
import { emptyState } from './state.ts'
import { turnVerbs } from './turns.ts'
import { deliveryVerbs, holderVerbs, summaryVerbs, upkeepVerbs } from './upkeep.ts'
import type { Sync } from './verbs.ts'
import { waitVerbs } from './waits.ts'

/** A store in memory. What was kept is there again after a close and another opening; several may be open at once. */
export function plainStore(): OpenStore {
  const state = emptyState()
  const verbs: Sync<Omit<StoreVerbs, 'close'>> = {
    ...sessionVerbs(state),
    ...entryVerbs(state),
    ...turnVerbs(state),
    ...holderVerbs,
    ...recoveryVerbs(state),
    ...summaryVerbs(state),
    ...deliveryVerbs(state),
    ...jobVerbs(state),
    ...upkeepVerbs(state),
    ...waitVerbs(state),
    ...retentionVerbs(state),
  }
  return async () => {
    let closed = false
    state.fencedWrites = 0
    const opened = Object.entries(verbs).map(([name, verb]) => [
      name,
      async (...input: unknown[]) => {
        if (closed) throw new HoldfastError('STORE_CLOSED')
        // The caller shares no object with the store, as if a disk lay between them.
        return structuredClone((verb as (...given: unknown[]) => unknown)(...structuredClone(input)))
      },
    ])
    const close = async () => {
      closed = true
    }
    return { ...Object.fromEntries(opened), close, shared: false, clockAheadMs: 0 }
  }
}
