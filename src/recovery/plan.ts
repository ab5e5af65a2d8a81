import type { Turn } from '../model/turns.ts'

/** Why the caller may call a holder ended (P10). */
export type Proof =
  /** This process has the store's exclusive lock, which the kernel takes from a process only when it ends. */
  | 'exclusive owner'
  /** Other holders may live; nothing is known about them. */
  | 'none'

/** The holders whose leases may be expired: all but the own one, on proof; nobody's without. */
export function planExpiry(facts: { holderIds: readonly string[]; ownId: string; proof: Proof }): string[] {
  if (facts.proof === 'none') return []
  return [...new Set(facts.holderIds)].filter((id) => id !== facts.ownId)
}

export type InterruptedTurn = Pick<Turn, 'id' | 'position' | 'attempts' | 'cancelRequested'>

export type RecoveryStep =
  | { kind: 'resume'; turnId: string; because: string }
  | { kind: 'quarantine'; turnId: string; attempts: number; because: string }
  | { kind: 'cancel'; turnId: string; reason: string; because: string }

/** Newest first: people wait for their last message. What needs no run comes before, because it is quick. */
export function planRecovery(facts: { interrupted: readonly InterruptedTurn[]; attemptsMax: number }): RecoveryStep[] {
  const newestFirst = facts.interrupted.toSorted((a, b) => b.position - a.position)
  const steps = newestFirst.map((turn) => stepFor(turn, facts.attemptsMax))
  return [...steps.filter((step) => step.kind !== 'resume'), ...steps.filter((step) => step.kind === 'resume')]
}

function stepFor(turn: InterruptedTurn, attemptsMax: number): RecoveryStep {
  const { id: turnId, attempts, cancelRequested } = turn
  if (cancelRequested !== null) {
    return { kind: 'cancel', turnId, reason: cancelRequested, because: 'it was to be cancelled' }
  }
  if (attempts >= attemptsMax) {
    return { kind: 'quarantine', turnId, attempts, because: `it was interrupted ${attempts} times` }
  }
  return { kind: 'resume', turnId, because: `attempt ${attempts + 1} of ${attemptsMax}` }
}
