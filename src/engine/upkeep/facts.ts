import { isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { SessionProblem } from '../../model/starts.ts'
import type { Turn } from '../../model/turns.ts'
import { planRecovery, type RecoveryFacts, type RecoveryStep, type UnsentDelivery } from '../../recovery/plan.ts'
import type { Store } from '../../store/port.ts'
import type { Ground } from '../ground.ts'

/** Turns planned for at once, some 10 MB of them; what is beyond comes in the next round. */
const turnsMax = 10_000
const pageTurns = 1_000
/** Deliveries that are shown; all of them are sent. */
const deliveriesMax = 500

/** What a process knows of its own recovery. */
export interface Known {
  resumed: number
  offBecause: string | null
  /** What ended processes were sending has been marked, so that what is under way is our own. */
  inherited: boolean
  /** Turns that could not be helped, and are not tried again by this process. */
  givenUp: ReadonlySet<string>
}

export interface Plan {
  steps: RecoveryStep[]
  /** There are more turns than are planned for at once. */
  more: boolean
}

/** Reads the facts, looks into the sessions that would be resumed, and plans. Nothing is changed. */
export async function planNow(ground: Ground, known: Known): Promise<Plan> {
  const { store, settings, clock } = ground
  const { turns, strays, more } = await unfinished(ground)
  const problems = await inspect(store, strays, new Map())
  const damaged = strays.filter(({ sessionKey }) => problems.get(sessionKey)?.includes('lease') === true)
  const facts: RecoveryFacts = {
    turns: [...turns, ...damaged].filter(({ id }) => !known.givenUp.has(id)),
    deliveries: await unsent(store, known.inherited),
    problems,
    resumed: known.resumed,
    offBecause: known.offBecause,
    attemptsMax: settings.turns.attemptsMax,
    deliveryAttemptsMax: settings.delivery.attemptsMax,
    budget: settings.recovery,
    nowMs: clock.nowMs(),
  }
  const first = planRecovery(facts)
  const resumed = first.filter((step) => step.kind === 'resume')
  if (resumed.length === 0) return { steps: first, more }
  await inspect(store, resumed, problems)
  return { steps: planRecovery(facts), more }
}

/** Interrupted turns, and those that run under others, or (`strays`) under nobody, as far as two reads can tell. */
async function unfinished({ store, holder }: Ground): Promise<{ turns: Turn[]; strays: Turn[]; more: boolean }> {
  const found: Turn[] = []
  let after: { after?: string } = {}
  let more = true
  while (more && found.length < turnsMax) {
    const query = { statuses: ['interrupted' as const, 'running' as const], order: 'newest' as const, limit: pageTurns }
    const { items, next } = await store.listTurns({ ...query, ...after })
    found.push(...items)
    more = next !== null
    if (next !== null) after = { after: next }
  }
  const holders = new Map((await store.listLeases()).map((lease) => [lease.turnId, lease.holder.id]))
  // of a store that others share, what they run is theirs until they lapse
  const isLeft = ({ id, status }: Turn) =>
    status === 'interrupted' || (!store.shared && holders.has(id) && holders.get(id) !== holder.id)
  const strays = found.filter((turn) => turn.status === 'running' && !holders.has(turn.id))
  return { turns: found.filter(isLeft), strays, more }
}

async function unsent(store: Store, inherited: boolean): Promise<UnsentDelivery[]> {
  const deliveries = await store.listUnsent({ limit: deliveriesMax })
  return deliveries.flatMap(({ status, ...delivery }): UnsentDelivery[] => {
    const isLeft = status === 'pending' || (status === 'sending' && !inherited)
    return isLeft ? [{ ...delivery, status }] : []
  })
}

async function inspect(
  store: Store,
  of: readonly { sessionKey: SessionKey }[],
  problems: Map<SessionKey, readonly SessionProblem[]>,
): Promise<Map<SessionKey, readonly SessionProblem[]>> {
  for (const key of new Set(of.map(({ sessionKey }) => sessionKey))) {
    if (!problems.has(key)) problems.set(key, await problemsOf(store, key))
  }
  return problems
}

/** What the database itself cannot read is as lost as an entry without a body. */
export async function problemsOf(store: Store, key: SessionKey): Promise<readonly SessionProblem[]> {
  try {
    return await store.inspectSession({ key })
  } catch (error) {
    if (!isHoldfastError(error, 'STORE_CORRUPT')) throw error
    return ['entries']
  }
}
