import { HoldfastError } from '../../model/errors.ts'
import { laneOf } from '../../model/lanes.ts'
import type { RecoveryVerbs } from '../../store/recovery.ts'
import { turnFrom } from './admissions.ts'
import { pageOf } from './pages.ts'
import { noteReady, type PlainState, type PlainTurn, sessionAt, turnAt, waitingOf } from './state.ts'
import type { Sync } from './verbs.ts'

const startsMax = 100

export const recoveryVerbs = (state: PlainState): Sync<RecoveryVerbs> => ({
  recordStart: ({ holder, atMs }) => {
    const known = state.starts.some(({ holderId }) => holderId === holder.id)
    const [before] = state.starts
    const unclean = before !== undefined && before.endedAtMs === null
    if (!known) state.starts.unshift({ holderId: holder.id, pid: holder.pid, atMs, endedAtMs: null, unclean })
    state.starts.splice(startsMax)
    return state.starts
  },
  recordEnd: ({ holderId, atMs }) => {
    const found = state.starts.find((start) => start.holderId === holderId)
    if (found !== undefined) found.endedAtMs ??= atMs
  },
  listStarts: () => state.starts,
  // every figure is counted when it is asked for: nothing can be wrong
  inspectSession: ({ key }) => {
    sessionAt(state, key)
    return []
  },
  repairSession: ({ key }) => {
    sessionAt(state, key)
    return { next: null }
  },
  listQuarantined: (query) => {
    const kept = state.turns.filter(({ facts }) => facts.status === 'quarantined' && facts.releasedAs === null)
    return pageOf(kept.map(({ facts }) => facts).toReversed(), ({ position }) => [-position], query)
  },
  releaseTurn: ({ turnId, newTurnId, atMs }) => {
    const old = turnAt(state, turnId)
    const { status, releasedAs } = old.facts
    if (releasedAs !== null) return turnAt(state, releasedAs).facts
    if (status !== 'quarantined') throw new HoldfastError('TURN_NOT_QUARANTINED')
    return release(state, old, newTurnId, atMs)
  },
})

/** The same messages and the same request, as if they had come just now. */
function release(state: PlainState, old: PlainTurn, newTurnId: string, atMs: number) {
  const { sessionKey, source, lane } = old.facts
  const session = sessionAt(state, sessionKey)
  const busy = session.lease !== null || waitingOf(state, sessionKey).some(({ place }) => place <= state.positions)
  state.positions += 1
  const position = state.positions
  const asked = {
    ...{ turnId: newTurnId, key: sessionKey, lane: lane === 'resume' ? laneOf(sessionKey) : lane, source },
    ...{ request: old.request, onBusy: 'queue' as const, coalesceMs: 0, atMs },
  }
  const turn = {
    ...turnFrom(asked, position, position, busy),
    inbound: old.inbound.map((each, at) => ({
      ...each,
      admission: at === 0 ? newTurnId : `${newTurnId}#${at + 1}`,
      interruptedTurnId: null,
    })),
  }
  for (const each of old.inbound) each.dedupeKey = null
  state.turns.push(turn)
  old.facts.releasedAs = newTurnId
  Object.assign(session.facts, {
    state: 'open',
    archivedAtMs: null,
    activeAtMs: Math.max(session.facts.activeAtMs, atMs),
  })
  noteReady(state, session, atMs)
  return turn.facts
}
