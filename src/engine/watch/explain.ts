import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Compactor } from '../compact.ts'
import type { Ground } from '../ground.ts'
import { dueReset } from '../turns/admit.ts'
import type { Turns } from '../turns/turns.ts'
import type { Recovery } from '../upkeep/recover.ts'
import { composeWhy, type WhyFacts, type WhyReport } from '../why.ts'
import { composeLanes, type LanesReport } from './lanes.ts'

/** Turns listed by `why`; a session may queue more. */
const waitingMax = 100

/** What this process knows of its turns, besides the store. */
export interface Known {
  turns: Pick<Turns, 'progressOf' | 'laneIsFull'>
  compactor: Pick<Compactor, 'stateOf'>
  recovery: Pick<Recovery, 'state'>
  mode: WhyFacts['mode']
}

/** @throws HoldfastError SESSION_NOT_FOUND */
export async function explainSession(ground: Ground, known: Known, key: SessionKey): Promise<WhyReport> {
  const { store, settings, watch, clock } = ground
  const [session, leases, waiting] = await Promise.all([
    store.readSession(key),
    store.listLeases(),
    store.listTurns({ key, statuses: ['queued', 'interrupted'], order: 'oldest', limit: waitingMax }),
  ])
  if (session === null) throw new HoldfastError('SESSION_NOT_FOUND')
  const lease = leases.find((each) => each.sessionKey === key) ?? null
  const [queue, running, resumes] = await Promise.all([
    store.readQueue(key),
    lease === null ? null : store.readTurn(lease.turnId),
    known.recovery.state(),
  ])
  return composeWhy({
    session,
    lease,
    running: running?.turn ?? null,
    progress: lease === null ? null : known.turns.progressOf(lease.turnId),
    waiting: waiting.items,
    queue,
    laneIsFull: (turn) => known.turns.laneIsFull(turn),
    compaction: known.compactor.stateOf(key),
    store: watch.store,
    limits: { ...settings.turns, ...settings.watch },
    mode: known.mode,
    resumes,
    resetBecause: dueReset(settings, session, clock.nowMs()),
    nowMs: clock.nowMs(),
  })
}

export async function explainLanes(ground: Ground, known: Known): Promise<LanesReport> {
  const { store, settings, watch, clock, holder } = ground
  return composeLanes({
    reading: await store.readLanes(),
    rules: settings.lanes,
    progressOf: (turnId) => known.turns.progressOf(turnId),
    ownId: holder.id,
    writable: watch.store.writable,
    stuckAfterMs: settings.watch.stuckAfterMs,
    nowMs: clock.nowMs(),
  })
}
