import { HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { Turn } from '../../model/turns.ts'
import { planExpiry, planRecovery, type RecoveryStep } from '../../recovery/plan.ts'
import type { Store } from '../../store/port.ts'
import { type Ground, persist } from '../ground.ts'

/** Turns planned for at once; what is beyond comes in the next round. */
const turnsMax = 500

/** What the recovery does to the rest of the engine. */
export interface RecoveryHands {
  /** A turn ended without having run. */
  concluded(turn: Turn): void
  wake(): void
}

/**
 * Marks what ended holders left running. The adapters there are open the store exclusively, so that whoever holds a
 * lease and is not this process has ended.
 */
export async function expireEnded(ground: Ground): Promise<void> {
  const { store, holder, clock, log } = ground
  const leases = await store.listLeases()
  const holderIds = leases.map((lease) => lease.holder.id)
  const ended = planExpiry({ holderIds, ownId: holder.id, proof: 'exclusive owner' })
  if (ended.length === 0) return
  const turns = await store.expireLeases({ holderIds: ended, handedOver: false, limit: 1000, atMs: clock.nowMs() })
  log.warn({ turns: turns.length, holders: ended.length }, 'an earlier process ended while these turns ran')
}

/**
 * Queues interrupted turns again, newest first. They run in the lane `resume`, as many at once as it has slots, and
 * behind every message of their session that waits or comes meanwhile.
 */
export async function recover(ground: Ground, hands: RecoveryHands): Promise<void> {
  for (;;) {
    const steps = await plan(ground)
    if (steps.length === 0) return
    ground.events.publish({ type: 'recovery.planned', turns: steps.length })
    for (const step of steps) {
      if (ground.over.aborted) return
      await take(ground, hands, step)
    }
  }
}

async function plan(ground: Ground): Promise<RecoveryStep[]> {
  const { items } = await ground.store.listTurns({ statuses: ['interrupted'], order: 'newest', limit: turnsMax })
  return planRecovery({ interrupted: items, attemptsMax: ground.settings.turns.attemptsMax })
}

async function take(ground: Ground, hands: RecoveryHands, step: RecoveryStep): Promise<void> {
  const atMs = ground.clock.nowMs() // a repeat is found by its time
  try {
    const turn = await persist(ground, 'recovery', () => write(ground.store, step, atMs))
    ground.log.info({ turnId: step.turnId, step: step.kind, because: step.because }, 'recovery')
    if (step.kind === 'resume') hands.wake()
    else hands.concluded(turn)
  } catch (error) {
    if (!isHoldfastError(error, 'TURN_SETTLED')) throw error // somebody has cancelled it meanwhile
  }
}

function write(store: Store, step: RecoveryStep, atMs: number): Promise<Turn> {
  const { turnId } = step
  switch (step.kind) {
    case 'resume':
      return store.requeueTurn({ turnId, lane: 'resume', atMs })
    case 'quarantine': {
      const outcome = recordOf(new HoldfastError('TURN_QUARANTINED', { attempts: step.attempts }))
      return store.quarantineTurn({ turnId, outcome, atMs })
    }
    case 'cancel':
      return store.cancelTurn({ turnId, reason: step.reason, atMs })
  }
}
