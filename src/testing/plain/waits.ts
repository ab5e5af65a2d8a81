import { laneNames } from '../../model/lanes.ts'
import {
  runningMax,
  sourcesAmongMax,
  sourcesMax,
  type Wait,
  type WaitStatus,
  type WaitVerbs,
} from '../../store/waits.ts'
import { type PlainState, type PlainTurn, sessionAt, turnAt, waitingOf } from './state.ts'
import type { Sync } from './verbs.ts'

export const waitVerbs = (state: PlainState): Sync<WaitVerbs> => {
  const waits = (status: WaitStatus) =>
    state.turns
      .filter(({ facts }) => facts.status === status)
      .map((turn) => waitOf(state, turn, status))
      .toSorted((one, other) => one.sinceMs - other.sinceMs || one.position - other.position)
  return {
    listWaits: ({ lane, status, after, beganByMs, limit }) =>
      waits(status)
        .filter((wait) => wait.lane === lane && wait.sinceMs <= beganByMs)
        .filter(
          ({ sinceMs, position }) =>
            after === null || sinceMs > after.sinceMs || (sinceMs === after.sinceMs && position > after.position),
        )
        .slice(0, limit),
    readLanes: () => ({
      lanes: laneNames.map((lane) => {
        const having = (status: string) =>
          state.turns.filter(({ facts }) => facts.lane === lane && facts.status === status).length
        const queued = waits('queued').filter((wait) => wait.lane === lane)
        return {
          lane,
          queued: queued.length,
          interrupted: having('interrupted'),
          running: having('running'),
          oldest: queued[0] ?? null,
          sources: sourcesOf(queued.slice(0, sourcesAmongMax)),
        }
      }),
      running: [...state.sessions.values()]
        .flatMap(({ lease }) => (lease === null ? [] : [lease]))
        .toSorted((one, other) => one.takenAtMs - other.takenAtMs || placeOf(state, one) - placeOf(state, other))
        .slice(0, runningMax)
        .map(({ turnId, sessionKey, holder, takenAtMs, progressAtMs, progressNote }) => {
          const { lane, source } = turnAt(state, turnId).facts
          const { id, pid, host } = holder
          return { turnId, sessionKey, lane, source, holder: { id, pid, host }, takenAtMs, progressAtMs, progressNote }
        }),
    }),
    readQueue: (key) => {
      sessionAt(state, key)
      const queue = waitingOf(state, key)
      const [next] = queue
      const before = ({ queuedAtMs, facts }: PlainTurn) =>
        next !== undefined &&
        facts.lane === next.facts.lane &&
        (queuedAtMs < next.queuedAtMs || (queuedAtMs === next.queuedAtMs && facts.position < next.facts.position))
      return {
        waiting: queue.length,
        oldestAtMs: next === undefined ? null : Math.min(...queue.map(({ queuedAtMs }) => queuedAtMs)),
        aheadInLane: state.turns.filter((turn) => turn.facts.status === 'queued' && before(turn)).length,
      }
    },
  }
}

function waitOf(state: PlainState, { facts, queuedAtMs, interruptedAtMs }: PlainTurn, status: WaitStatus): Wait {
  const { id: turnId, position, sessionKey, lane, source, readyAtMs } = facts
  const lease = sessionAt(state, sessionKey).lease
  return {
    ...{ turnId, position, sessionKey, lane, source, status },
    sinceMs: status === 'queued' ? queuedAtMs : (interruptedAtMs ?? 0),
    first: status === 'queued' && readyAtMs !== null,
    heldBy: lease?.holder.id ?? null,
  }
}

const placeOf = (state: PlainState, { turnId }: { turnId: string }): number => turnAt(state, turnId).facts.position

function sourcesOf(waits: readonly Wait[]): { source: string; waiting: number }[] {
  const counts = new Map<string, number>()
  for (const { source } of waits) counts.set(source, (counts.get(source) ?? 0) + 1)
  return [...counts]
    .map(([source, waiting]) => ({ source, waiting }))
    .toSorted((one, other) => other.waiting - one.waiting || (one.source < other.source ? -1 : 1))
    .slice(0, sourcesMax)
}
