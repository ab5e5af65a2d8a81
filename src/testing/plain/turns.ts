import { planClaim } from '../../lanes/plan.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { kindOf, peopleKinds } from '../../model/keys.ts'
import { isSettled, type Turn, windowMaxMs } from '../../model/turns.ts'
import type { LeaseVerbs } from '../../store/leases.ts'
import type { Claim, ClaimInput, RevokeInput, SettleInput, TurnVerbs } from '../../store/turns.ts'
import { admitTurn } from './admissions.ts'
import { checkHead, heldSession } from './entries.ts'
import { factsOf, noteStart, type PlainReady } from './lanes.ts'
import { pageOf } from './pages.ts'
import {
  currentOf,
  noteReady,
  type PlainSession,
  type PlainState,
  type PlainTurn,
  release,
  sessionAt,
  turnAt,
  unsettledTurnAt,
  viewOf,
  waitingOf,
  write,
  writeAsked,
  writeEvent,
} from './state.ts'
import type { Sync } from './verbs.ts'

export const turnVerbs = (state: PlainState): Sync<TurnVerbs & LeaseVerbs> => ({
  admitTurn: (input) => admitTurn(state, input),
  claimTurn: (input) => claimTurn(state, input),
  recordProgress: ({ key, fence, note, atMs }) => {
    const { lease } = heldSession(state, key, fence)
    if (lease === null) return
    Object.assign(lease, { progressAtMs: atMs, progressNote: note })
    turnAt(state, lease.turnId).facts.progressAtMs = atMs
  },
  settleTurn: (input) => settleTurn(state, input),
  requeueTurn: ({ turnId, lane, atMs }) => {
    const turn = turnAt(state, turnId)
    if (turn.facts.status !== 'interrupted') return turn.facts
    Object.assign(turn.facts, { status: 'queued', lane, readyAtMs: null })
    turn.place = turn.facts.position + 1_000_000_000 // behind every message, however late it comes
    turn.resumed = true
    turn.queuedAtMs = atMs
    noteReady(state, sessionAt(state, turn.facts.sessionKey), atMs)
    return turn.facts
  },
  cancelTurn: ({ turnId, reason, atMs }) => {
    const turn = unsettledTurnAt(state, turnId)
    turn.facts.cancelRequested ??= reason
    if (turn.facts.status === 'running') return turn.facts
    const outcome = recordOf(new HoldfastError('TURN_CANCELLED', { because: reason }))
    return revokeTurn(state, { turnId, status: 'cancelled', outcome, atMs })
  },
  revokeTurn: (input) => revokeTurn(state, input),
  quarantineTurn: (input) => revokeTurn(state, { ...input, status: 'quarantined' }),
  readTurn: (turnId) => {
    const turn = state.turns.find(({ facts }) => facts.id === turnId)
    if (turn === undefined) return null
    const { facts, request } = turn
    const inbound = turn.inbound.map(({ dedupeKey, messages, atMs }) => ({ dedupeKey, messages, atMs }))
    return { turn: facts, inbound, request, reply: replyOf(state, turn) }
  },
  listTurns: (query) => {
    const rows = state.turns
      .map(({ facts }) => facts)
      .filter(
        (turn) =>
          (query.key === undefined || turn.sessionKey === query.key) &&
          (query.statuses === undefined || query.statuses.includes(turn.status)),
      )
    const newest = query.order === 'newest'
    return pageOf(newest ? rows.toReversed() : rows, ({ position }) => [newest ? -position : position], query)
  },

  readTurnStates: ({ turnIds }) =>
    turnIds.flatMap((turnId) => {
      const found = state.turns.find(({ facts }) => facts.id === turnId)
      if (found === undefined) return []
      const { status, cancelRequested } = found.facts
      const lease = [...state.sessions.values()].find((session) => session.lease?.turnId === turnId)?.lease
      return [{ turnId, status, cancelRequested, holderId: lease?.holder.id ?? null }]
    }),

  listLeases: () => [...state.sessions.values()].flatMap(({ lease }) => (lease === null ? [] : [lease])),
  expireLeases: ({ holderIds, handedOver, limit, atMs }) => {
    const positionOf = ({ lease }: PlainSession) => turnAt(state, lease?.turnId as string).facts.position
    const lost = [...state.sessions.values()].filter(({ lease }) => lease && holderIds.includes(lease.holder.id))
    const newest = lost.toSorted((one, other) => positionOf(other) - positionOf(one)).slice(0, limit)
    return newest.map((session) => {
      const turn = turnAt(state, session.lease?.turnId as string)
      const { facts } = turn
      if (handedOver) facts.handedOver += 1
      facts.status = 'interrupted'
      turn.interruptedAtMs = atMs
      session.facts.fence += 1
      release(state, session, atMs)
      return facts
    })
  },
})

/** Of a running turn the transcript says at once that it ended, of a waiting one when nobody else writes there. */
function revokeTurn(state: PlainState, { turnId, status, outcome, atMs }: RevokeInput): Turn {
  const turn = unsettledTurnAt(state, turnId)
  const session = sessionAt(state, turn.facts.sessionKey)
  if (turn.facts.status === 'running') {
    writeEvent(state, session, turn, outcome.code, atMs)
    session.facts.fence += 1
    session.facts.activeAtMs = atMs
    session.lease = null
  } else {
    turn.unwritten = true
  }
  end(state, turn, { status, outcome, atMs })
  noteReady(state, session, atMs)
  return turn.facts
}

function claimTurn(state: PlainState, input: ClaimInput): Claim | null {
  const held = [...state.sessions.values()].filter(({ lease }) => lease?.holder.id === input.holder.id)
  const running = held.map(({ lease }) => turnAt(state, lease?.turnId as string).facts)
  const plan = planClaim(factsOf(state.lanes, readyTurns(state, input.atMs), running), input.rules, input.atMs)
  if (plan.kind === 'wait') return null
  const turn = state.turns.find(({ facts }) => facts.position === plan.position) as PlainTurn
  const claim = take(state, turn, input)
  noteStart(state.lanes, plan, readyTurns(state, input.atMs))
  return claim
}

/** The next turn of each session that is free, unless it waits for more messages. */
function readyTurns(state: PlainState, atMs: number): PlainReady[] {
  return [...state.sessions.values()]
    .filter(({ lease }) => lease === null)
    .flatMap(({ facts }) => waitingOf(state, facts.key).slice(0, 1))
    .filter(({ windowEndsMs: ends }) => ends === null || ends <= atMs || ends > atMs + windowMaxMs)
    .map((turn) => ({ ...laneFacts(turn), queuedAtMs: turn.queuedAtMs, order: laneOrder(turn) }))
}

const laneFacts = ({ facts: { lane, source, position } }: PlainTurn) => ({ lane, source, position })

/** Oldest admission first; of what runs again people's before all, then newest first. */
const laneOrder = ({ facts: { lane, position, sessionKey } }: PlainTurn) => {
  if (lane !== 'resume') return position
  return peopleKinds.includes(kindOf(sessionKey)) ? -1_000_000_000 - position : -position
}

/** What claiming this very turn means. */
function take(state: PlainState, turn: PlainTurn, { holder, atMs }: ClaimInput): Claim {
  const { facts, request } = turn
  const session = sessionAt(state, facts.sessionKey)
  session.facts.fence += 1
  const fence = session.facts.fence
  const attempts = facts.attempts + 1
  Object.assign(facts, { status: 'running', attempts, startedAtMs: atMs, progressAtMs: atMs })
  session.lease = {
    sessionKey: facts.sessionKey,
    turnId: facts.id,
    fence,
    operation: 'turn',
    holder,
    takenAtMs: atMs,
    progressAtMs: atMs,
    progressNote: '',
  }
  writeAsked(state, session, turn, atMs)
  const inbound = turn.inbound.map(({ dedupeKey, messages, atMs: cameAtMs }) => ({
    dedupeKey,
    messages,
    atMs: cameAtMs,
  }))
  const head = currentOf(session).length
  const waitedMs = atMs - turn.queuedAtMs
  return { turn: facts, inbound, request, session: viewOf(state, session), fence, head, waitedMs }
}

function settleTurn(state: PlainState, input: SettleInput) {
  const settled = state.turns.find(({ facts }) => facts.id === input.turnId)
  const found = state.sessions.get(input.key)
  const earlier =
    settled !== undefined && isSettled(settled.facts.status) && state.settledFences.get(input.turnId) === input.fence
  if (found !== undefined && earlier) return settled.facts
  const session = heldSession(state, input.key, input.fence)
  checkHead(session, input.head)
  const turn = turnAt(state, input.turnId)
  write(session, input.entries, turn, input.atMs)
  const reply = input.status === 'done' ? attemptOf(state, turn) : []
  Object.assign(turn.facts, {
    finishReason: input.finishReason,
    usage: input.usage,
    replyFromSeq: reply.at(0)?.seq ?? null,
    replyToSeq: reply.at(-1)?.seq ?? null,
  })
  end(state, turn, input)
  state.settledFences.set(input.turnId, input.fence)
  if (input.meterRatio !== null) session.facts.meterRatio = input.meterRatio
  session.facts.activeAtMs = input.atMs
  release(state, session, input.atMs)
  return turn.facts
}

/** What the last attempt wrote beside the turn's own messages. */
function attemptOf(state: PlainState, { facts, asked }: PlainTurn) {
  const transcript = sessionAt(state, facts.sessionKey).transcripts[(facts.transcript ?? 0) - 1] ?? []
  const own = new Set(asked.map(({ id }) => id))
  return transcript.filter(
    ({ turnId, attempt, id }) => turnId === facts.id && attempt === facts.attempts && !own.has(id),
  )
}

export function replyOf(state: PlainState, turn: PlainTurn) {
  const { replyFromSeq, replyToSeq } = turn.facts
  if (replyFromSeq === null || replyToSeq === null) return []
  return attemptOf(state, turn).filter(({ seq }) => seq >= replyFromSeq && seq <= replyToSeq)
}

/** All but cancellations, and replies without a word, are told to where the turn's sender wants to hear of it. */
function end(
  state: PlainState,
  { facts, request }: PlainTurn,
  { status, outcome, atMs }: Pick<SettleInput, 'status' | 'outcome' | 'atMs'>,
): void {
  Object.assign(facts, { status, outcome, settledAtMs: atMs })
  if (status === 'cancelled' || (status === 'done' && facts.replyFromSeq === null)) return
  for (const target of new Set(request.deliverTo)) {
    state.ids += 1
    state.deliveries.push({
      id: state.ids,
      turnId: facts.id,
      sessionKey: facts.sessionKey,
      target,
      status: 'pending',
      attempts: 0,
      outcome,
      nextAttemptAtMs: atMs,
      error: null,
    })
  }
}
