import { HoldfastError, recordOf } from '../../model/errors.ts'
import type { Turn } from '../../model/turns.ts'
import type { RecoveryStep } from '../../recovery/plan.ts'
import { type Ground, persist } from '../ground.ts'
import { repair } from '../turns/mend.ts'
import { problemsOf } from './facts.ts'

/** Gives the turn as it is then; null when the step is nobody's turn, or leaves it as it was. */
export async function takeStep(ground: Ground, step: RecoveryStep): Promise<Turn | null> {
  const { store } = ground
  const { turnId } = step
  const atMs = ground.clock.nowMs() // a repeat is found by its time
  const write = <T>(verb: () => Promise<T>) => persist(ground, 'recovery', verb)
  switch (step.kind) {
    case 'resume':
      return write(() => store.requeueTurn({ turnId, lane: 'resume', atMs }))
    case 'quarantine': {
      const outcome = recordOf(new HoldfastError('TURN_QUARANTINED', { attempts: step.attempts }))
      return write(() => store.quarantineTurn({ turnId, outcome, atMs }))
    }
    case 'cancel':
      return write(() => store.cancelTurn({ turnId, reason: step.reason, atMs }))
    case 'skip': {
      const code = step.as === 'stale' ? 'TURN_STALE' : 'TURN_NOT_RESUMED'
      const outcome = recordOf(new HoldfastError(code, { because: step.because }))
      return write(() => store.revokeTurn({ turnId, status: 'failed', outcome, atMs }))
    }
    case 'repair first': {
      await write(() => repair(ground, step.sessionKey))
      const left = await problemsOf(store, step.sessionKey)
      if (left.length === 0) return null
      const because = `after its repair its session is still damaged: ${left.join(', ')}`
      const outcome = recordOf(new HoldfastError('STORE_CORRUPT', { because }))
      return write(() => store.quarantineTurn({ turnId, outcome, atMs }))
    }
    case 'wait':
    case 'retry delivery': // by whoever sends deliveries
    case 'skip delivery': // marked when the process began
      return null
  }
}
