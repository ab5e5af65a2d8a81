import type { DeliveryStatus } from '../model/holders.ts'
import { kindOf, peopleKinds, type SessionKey } from '../model/keys.ts'
import type { SessionProblem } from '../model/starts.ts'
import type { Turn } from '../model/turns.ts'
import { formatDuration } from '../model/units.ts'
import type { RecoveryBudget } from './budget.ts'

/** Why the caller may call a holder ended (P10). */
export type Proof =
  /** This process has the store's exclusive lock, which the kernel takes from a process only when it ends. */
  | 'exclusive owner'
  /** They were seen to have ended: processes of this boot and namespace that are not there, or began at another time. */
  | 'process'
  /** Other holders may live; nothing is known about them. */
  | 'none'

/** The holders whose leases may be expired: all but the own one, on proof; nobody's without. */
export function planExpiry(facts: { holderIds: readonly string[]; ownId: string; proof: Proof }): string[] {
  if (facts.proof === 'none') return []
  return [...new Set(facts.holderIds)].filter((id) => id !== facts.ownId)
}

/** A turn that was interrupted or, before a start, runs under a holder that has ended. */
export type UnfinishedTurn = Pick<
  Turn,
  'id' | 'position' | 'sessionKey' | 'attempts' | 'handedOver' | 'cancelRequested'
> &
  Pick<Turn, 'admittedAtMs' | 'startedAtMs' | 'progressAtMs'>

export interface UnsentDelivery {
  id: number
  turnId: string
  sessionKey: SessionKey
  status: Extract<DeliveryStatus, 'pending' | 'sending'>
  attempts: number
}

export interface RecoveryFacts {
  turns: readonly UnfinishedTurn[]
  /** `sending` only of processes that have ended. */
  deliveries: readonly UnsentDelivery[]
  problems: ReadonlyMap<SessionKey, readonly SessionProblem[]>
  /** Resumes of this start so far. */
  resumed: number
  /** Why nothing is resumed now; null when it is. */
  offBecause: string | null
  attemptsMax: number
  deliveryAttemptsMax: number
  budget: Pick<RecoveryBudget, 'ageMaxMs' | 'resumesMax'>
  nowMs: number
}

interface OfTurn {
  turnId: string
  sessionKey: SessionKey
  /** One sentence, for people. */
  because: string
}
interface OfDelivery extends OfTurn {
  deliveryId: number
}

export type RecoveryStep =
  | ({ kind: 'cancel'; reason: string } & OfTurn)
  | ({ kind: 'quarantine'; attempts: number } & OfTurn)
  | ({ kind: 'skip'; as: 'stale' | 'failed' } & OfTurn)
  /** The turn is planned again when its session is whole. */
  | ({ kind: 'repair first'; problems: readonly SessionProblem[] } & OfTurn)
  | ({ kind: 'resume' } & OfTurn)
  /** Nothing is resumed now. */
  | ({ kind: 'wait' } & OfTurn)
  | ({ kind: 'retry delivery' } & OfDelivery)
  /** Its outcome is unknown; it is never repeated. */
  | ({ kind: 'skip delivery'; as: 'failed' } & OfDelivery)

/**
 * One step for each turn and each delivery. What needs no run comes first, because it is quick; then turns of people before
 * those of jobs, the newest first: people wait for their last message.
 */
export function planRecovery(facts: RecoveryFacts): RecoveryStep[] {
  let left = facts.budget.resumesMax - facts.resumed
  const turns = facts.turns.toSorted(byUrgency).map((turn) => {
    const step = stepFor(turn, facts, left)
    if (step.kind === 'resume' || step.kind === 'repair first') left -= 1
    return step
  })
  const quick = (step: RecoveryStep) => !runs.includes(step.kind)
  return [
    ...turns.filter(quick),
    ...facts.deliveries.map((delivery) => stepForDelivery(delivery, facts)),
    ...turns.filter((step) => !quick(step)),
  ]
}

const runs: readonly RecoveryStep['kind'][] = ['repair first', 'resume', 'wait']

function byUrgency(one: UnfinishedTurn, other: UnfinishedTurn): number {
  return Number(isOfPeople(other)) - Number(isOfPeople(one)) || other.position - one.position
}

const isOfPeople = ({ sessionKey }: UnfinishedTurn) => peopleKinds.includes(kindOf(sessionKey))

function stepFor(turn: UnfinishedTurn, facts: RecoveryFacts, left: number): RecoveryStep {
  const { id: turnId, sessionKey, cancelRequested } = turn
  const { attemptsMax, budget } = facts
  const of = { turnId, sessionKey }
  if (cancelRequested !== null) {
    return { kind: 'cancel', ...of, reason: cancelRequested, because: 'it was to be cancelled' }
  }
  const attempts = turn.attempts - turn.handedOver
  if (attempts >= attemptsMax) {
    return { kind: 'quarantine', ...of, attempts, because: `it was interrupted ${attempts} times` }
  }
  const ageMs = ageOf(turn, facts.nowMs)
  if (ageMs > budget.ageMaxMs) {
    const because = `its last sign of life is older than ${formatDuration(budget.ageMaxMs)}`
    return { kind: 'skip', as: 'stale', ...of, because }
  }
  if (facts.offBecause !== null) return { kind: 'wait', ...of, because: facts.offBecause }
  if (left <= 0) {
    return { kind: 'skip', as: 'failed', ...of, because: `beyond the ${budget.resumesMax} resumes of one start` }
  }
  const problems = facts.problems.get(sessionKey) ?? []
  if (problems.length > 0) {
    return { kind: 'repair first', ...of, problems, because: `its session is damaged: ${problems.join(', ')}` }
  }
  return { kind: 'resume', ...of, because: `attempt ${attempts + 1} of ${attemptsMax}` }
}

/** Since the last sign of life. A clock that was set back makes nothing old. */
function ageOf({ admittedAtMs, startedAtMs, progressAtMs }: UnfinishedTurn, nowMs: number): number {
  return Math.max(0, nowMs - Math.max(admittedAtMs, startedAtMs ?? 0, progressAtMs ?? 0))
}

function stepForDelivery(delivery: UnsentDelivery, { deliveryAttemptsMax }: RecoveryFacts): RecoveryStep {
  const { id: deliveryId, turnId, sessionKey, attempts } = delivery
  const of = { deliveryId, turnId, sessionKey }
  if (delivery.status === 'sending') {
    const because = 'whether it arrived is unknown, and it is never repeated'
    return { kind: 'skip delivery', as: 'failed', ...of, because }
  }
  return { kind: 'retry delivery', ...of, because: `attempt ${attempts + 1} of ${deliveryAttemptsMax}` }
}

/** How steps are called where they are counted and shown. */
export const stepNames = [
  'resume',
  'repair first',
  'quarantine',
  'cancel',
  'skip stale',
  'skip failed',
  'retry delivery',
  'wait',
] as const
export type StepName = (typeof stepNames)[number]

export function nameOf(step: RecoveryStep): StepName {
  switch (step.kind) {
    case 'skip':
    case 'skip delivery':
      return `skip ${step.as}`
    case 'cancel':
    case 'quarantine':
    case 'repair first':
    case 'resume':
    case 'wait':
    case 'retry delivery':
      return step.kind
  }
}
