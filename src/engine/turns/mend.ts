import { HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Turn } from '../../model/turns.ts'
import type { Ground } from '../ground.ts'

/** Turns of which it is remembered that their session was repaired; they start next, or end. */
const repairedMax = 1_000

/**
 * Turns that cannot be started because their session is damaged. They must not keep others waiting: the session is repaired
 * once, and a turn that cannot be started afterwards ends in quarantine, of which its sender is told.
 */
export class Mender {
  readonly #ground: Ground
  readonly #concluded: (turn: Turn) => void
  readonly #repaired = new Set<string>()
  /** Claims under way at once may meet the same turn. */
  readonly #underWay = new Map<string, Promise<void>>()

  /** `concluded` is told of turns that ended. */
  constructor(ground: Ground, concluded: (turn: Turn) => void) {
    this.#ground = ground
    this.#concluded = concluded
  }

  /** Whether something was done about what a claim has thrown. @throws HoldfastError what the store throws */
  async mend(error: unknown): Promise<boolean> {
    if (!isHoldfastError(error, 'STORE_CORRUPT') || typeof error.facts.turnId !== 'string') return false
    const { turnId, sessionKey, because } = error.facts
    const underWay = this.#underWay.get(turnId) ?? this.#mend(turnId, sessionKey as SessionKey, String(because))
    this.#underWay.set(turnId, underWay)
    try {
      await underWay
    } finally {
      this.#underWay.delete(turnId)
    }
    return true
  }

  async #mend(turnId: string, sessionKey: SessionKey, because: string): Promise<void> {
    const { store, clock, log } = this.#ground
    if (!this.#repaired.has(turnId)) {
      if (this.#repaired.size >= repairedMax) this.#repaired.clear()
      this.#repaired.add(turnId)
      await repair(this.#ground, sessionKey)
      return log.warn({ turnId, sessionKey, because }, 'a session is damaged and was repaired before its next turn')
    }
    const outcome = recordOf(new HoldfastError('STORE_CORRUPT', { because }))
    const ended = await store.quarantineTurn({ turnId, outcome, atMs: clock.nowMs() })
    this.#repaired.delete(turnId)
    log.error({ turnId, sessionKey, because }, 'a turn of a damaged session cannot be started and is in quarantine')
    this.#concluded(ended)
  }
}

/** What can be counted anew is, and what was left in the middle runs again. What cannot be read stays as it is. */
export async function repair({ store, clock }: Ground, key: SessionKey): Promise<void> {
  try {
    let afterSeq: number | null = 0
    while (afterSeq !== null) {
      const { next }: { next: number | null } = await store.repairSession({ key, afterSeq, atMs: clock.nowMs() })
      afterSeq = next
    }
  } catch (error) {
    if (!isHoldfastError(error, 'STORE_CORRUPT')) throw error // what is left is looked at next
  }
}
