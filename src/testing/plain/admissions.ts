import { HoldfastError } from '../../model/errors.ts'
import type { AdmitInput, AdmitResult } from '../../store/turns.ts'
import { findOrMake, resetSession } from './sessions.ts'
import { noteReady, type PlainSession, type PlainState, type PlainTurn, turnAt, waitingOf } from './state.ts'

/** What SESSION_BUSY and QUEUE_FULL advise. */
const retryAfterMs = 1_000

export function admitTurn(state: PlainState, input: AdmitInput): AdmitResult {
  const earlier = earlierTry(state, input)
  if (earlier !== null) return earlier
  const session = state.sessions.get(input.key)
  const lease = session?.lease ?? null
  const waiting = waitingOf(state, input.key)
  const busy = lease !== null || waiting.length > 0
  if (busy && input.onBusy === 'reject') throw new HoldfastError('SESSION_BUSY', {}, { retryAfterMs })

  // only the last in the queue: joining an earlier one would change the order of what was said
  const last = waiting.findLast(({ resumed }) => !resumed)
  const open = input.onBusy === 'coalesce' && last !== undefined && collects(last, input) ? last : null
  if (open !== null) {
    open.inbound.push(inboundFrom(input, null))
    Object.assign(findOrMake(state, input.key, input.atMs).facts, { activeAtMs: input.atMs })
    return { turn: open.facts, repeated: false, coalesced: true, interruptedTurnId: null, begunTranscript: null }
  }

  const total = state.turns.filter(({ facts }) => facts.status === 'queued').length
  if (waiting.length >= input.queuedMax.session || total >= input.queuedMax.total) {
    throw new HoldfastError('QUEUE_FULL', {}, { retryAfterMs })
  }
  const begunTranscript = session === undefined || busy ? null : beginAnew(state, session, input)
  const opened = findOrMake(state, input.key, input.atMs)
  Object.assign(opened.facts, { state: 'open', archivedAtMs: null, activeAtMs: input.atMs })
  const interrupts = input.onBusy === 'interrupt'
  const interruptedTurnId = interrupts && lease !== null ? lease.turnId : null
  if (interruptedTurnId !== null) turnAt(state, interruptedTurnId).facts.cancelRequested ??= 'interrupted'
  state.positions += 1
  const position = state.positions
  const place = interrupts ? -position : position
  const stands = lease !== null || waiting.some((other) => other.place < place)
  const turn = turnFrom(input, position, place, stands)
  turn.inbound.push(inboundFrom(input, interruptedTurnId))
  state.turns.push(turn)
  noteReady(state, opened, input.atMs)
  return { turn: turn.facts, repeated: false, coalesced: false, interruptedTurnId, begunTranscript }
}

function beginAnew(state: PlainState, { facts }: PlainSession, { key, reset, atMs }: AdmitInput): number | null {
  if (reset == null || reset.transcript !== facts.transcript) return null
  if (state.turns.some((turn) => turn.facts.sessionKey === key && turn.facts.status === 'interrupted')) return null
  return resetSession(state, { key, reason: reset.reason, atMs }).session.transcript
}

function earlierTry(state: PlainState, input: AdmitInput): AdmitResult | null {
  for (const { facts, inbound } of state.turns) {
    for (const each of inbound) {
      const sameKey = facts.sessionKey === input.key && input.dedupeKey !== null && each.dedupeKey === input.dedupeKey
      if (!sameKey && each.admission !== input.turnId) continue
      if (each.digest !== input.digest) throw new HoldfastError('IDEMPOTENCY_MISMATCH')
      const { interruptedTurnId } = each
      return { turn: facts, repeated: true, coalesced: each !== inbound[0], interruptedTurnId, begunTranscript: null }
    }
  }
  return null
}

function collects(turn: PlainTurn, input: AdmitInput): boolean {
  return (
    turn.windowEndsMs !== null &&
    input.atMs < turn.windowEndsMs &&
    turn.facts.lane === input.lane &&
    turn.facts.source === input.source &&
    JSON.stringify(turn.request) === JSON.stringify(input.request) &&
    tokensIn([...turn.inbound, input]) <= input.coalesceTokensMax
  )
}

function tokensIn(inbound: readonly { tokens: number[] }[]): number {
  return inbound.flatMap(({ tokens }) => tokens).reduce((total, each) => total + each, 0)
}

function inboundFrom(input: AdmitInput, interruptedTurnId: string | null) {
  const { dedupeKey, messages, atMs, digest, tokens } = input
  return { dedupeKey, messages, atMs, digest, tokens, admission: input.turnId, interruptedTurnId }
}

type Asked = Pick<AdmitInput, 'turnId' | 'key' | 'lane' | 'source' | 'request' | 'onBusy' | 'coalesceMs' | 'atMs'>

/** A waiting turn, before its messages are added. `stands`: others of its session are before it. */
export function turnFrom(input: Asked, position: number, place: number, stands: boolean): PlainTurn {
  return {
    facts: {
      id: input.turnId,
      position,
      sessionKey: input.key,
      lane: input.lane,
      source: input.source,
      status: 'queued',
      attempts: 0,
      handedOver: 0,
      blockedBy: stands ? 'session' : null,
      admittedAtMs: input.atMs,
      readyAtMs: null,
      startedAtMs: null,
      progressAtMs: null,
      settledAtMs: null,
      cancelRequested: null,
      outcome: null,
      finishReason: null,
      usage: null,
      transcript: null,
      replyFromSeq: null,
      replyToSeq: null,
      releasedAs: null,
    },
    request: input.request,
    inbound: [],
    place,
    resumed: false,
    queuedAtMs: input.atMs,
    interruptedAtMs: null,
    windowEndsMs: input.onBusy === 'coalesce' ? input.atMs + input.coalesceMs : null,
    asked: [],
    unwritten: false,
    hidden: false,
  }
}
