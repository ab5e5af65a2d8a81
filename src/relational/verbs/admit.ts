import { HoldfastError } from '../../model/errors.ts'
import type { WaitCause } from '../../model/turns.ts'
import type { AdmitInput, AdmitResult } from '../../store/turns.ts'
import { type BodyPlace, bodyInlineMaxBytes, placeBody, requestInlineMaxBytes } from '../rows/bodies.ts'
import type { StoredRequestText } from '../rows/inbound.ts'
import { type SessionRow, type TurnRow, turnOf } from '../rows/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { inboundSql, turnSql } from '../statements/turns.ts'
import { first, type Steps, together, write } from '../steps.ts'
import type { LeaseRow } from './ending.ts'
import { laneOrderOf, placeOf, type QueueHead, queueHead, refreshReady } from './queue.ts'
import { findOrAdd, resetSession } from './sessions.ts'
import type { Work } from './work.ts'

export type StoredAdmission = Omit<AdmitInput, 'messages' | 'request'> & {
  messages: string
  request: StoredRequestText
}

/** When a refused message may be sent again: a turn rarely ends faster. */
const retryAfterMs = 1_000

export function* admitTurn(work: Work, input: StoredAdmission): Steps<AdmitResult> {
  const [session, byAdmission] = yield* together(
    first<SessionRow>(sessionSql.byKey, input.key),
    first<InboundRow>(inboundSql.byAdmission, input.turnId),
  )
  const repeated = yield* repeatOf(session, byAdmission, input)
  if (repeated !== null) return repeated
  work.requireRoom()

  const { id, running, queuedTurns } = session ?? (yield* findOrAdd(work, input.key, input.atMs))
  const busy = running === 1 || queuedTurns > 0
  if (input.onBusy === 'reject' && busy) {
    throw new HoldfastError('SESSION_BUSY', { key: input.key, queuedTurns }, { retryAfterMs })
  }
  const request = yield* placeRequest(input.request)
  const joined = input.onBusy === 'coalesce' ? yield* findJoinable(id, request, input) : null
  if (joined !== null) {
    yield* addInbound(joined, id, input, null)
    yield* write(sessionSql.touched, id, input.atMs)
    const turn = yield* readTurn(joined)
    return { turn, repeated: false, coalesced: true, interruptedTurnId: null, begunTranscript: null }
  }
  checkBounds(input, queuedTurns, work.queue.total)
  const begunTranscript = session === undefined || busy ? null : yield* beginAnew(work, session, input)

  const lease = running === 1 ? ((yield* first<LeaseRow>(leaseSql.ofSession, input.key)) as LeaseRow) : null
  const interrupts = input.onBusy === 'interrupt' && lease !== null
  if (interrupts) yield* write(turnSql.requestCancel, lease.turn, 'a newer message interrupts it')
  const interruptedTurnId = interrupts ? lease.turnId : null
  const position = yield* addTurn(id, request, input, lease)
  yield* addInbound(position, id, input, interruptedTurnId)
  yield* write(sessionSql.admitted, id, input.atMs)
  work.queue.total += 1
  yield* refreshReady(work, id, lease !== null, input.atMs)
  return { turn: yield* readTurn(position), repeated: false, coalesced: false, interruptedTurnId, begunTranscript }
}

/** The reset that came with the message, in its own step, so that a repeat of either finds both. */
function* beginAnew(work: Work, session: SessionRow, { reset, atMs }: StoredAdmission): Steps<number | null> {
  if (reset == null || reset.transcript !== session.transcript) return null
  if ((yield* first(turnSql.hasInterrupted, session.id)) !== undefined) return null
  return (yield* resetSession(work, { key: session.key, reason: reset.reason, atMs })).session.transcript
}

interface InboundRow {
  turn: number
  admission: string
  digest: string
  interrupted: string | null
  seen: number
}

/** The same call again, or the same dedupe key: the turn that was made then. @throws IDEMPOTENCY_MISMATCH */
function* repeatOf(
  session: SessionRow | undefined,
  byAdmission: InboundRow | undefined,
  input: StoredAdmission,
): Steps<AdmitResult | null> {
  if (byAdmission?.seen === 0) yield* giveUpIds(input.turnId)
  if (session === undefined) return null
  const byDedupe =
    byAdmission?.seen === 1 || input.dedupeKey === null
      ? undefined
      : yield* first<InboundRow>(inboundSql.byDedupe, session.id, input.dedupeKey)
  const found = byAdmission?.seen === 1 ? byAdmission : byDedupe
  if (found === undefined) return null
  if (found.digest !== input.digest) throw new HoldfastError('IDEMPOTENCY_MISMATCH', { key: input.key })
  const turn = yield* readTurn(found.turn)
  const { admission, interrupted } = found
  return {
    turn,
    repeated: true,
    coalesced: turn.id !== admission,
    interruptedTurnId: interrupted,
    begunTranscript: null,
  }
}

/** What was taken out and is not deleted yet keeps nobody from its ids. */
function* giveUpIds(turnId: string): Steps<void> {
  yield* write(inboundSql.giveUpAdmission, turnId)
  yield* write(inboundSql.giveUpTurnId, turnId)
}

/** @throws HoldfastError QUEUE_FULL */
function checkBounds({ queuedMax }: StoredAdmission, inSession: number, inStore: number): void {
  if (inSession >= queuedMax.session) {
    throw new HoldfastError('QUEUE_FULL', { of: 'session', queued: inSession }, { retryAfterMs })
  }
  if (inStore >= queuedMax.total) {
    throw new HoldfastError('QUEUE_FULL', { of: 'store', queued: inStore }, { retryAfterMs })
  }
}

interface PlacedRequest {
  streaming: number
  /** JSON. */
  deliverTo: string | null
  instructions: BodyPlace
  params: BodyPlace
}

function* placeRequest(request: StoredRequestText): Steps<PlacedRequest> {
  return {
    streaming: Number(request.streaming),
    deliverTo: request.deliverTo === null ? null : JSON.stringify(request.deliverTo),
    instructions: yield* placeBody(request.instructions, requestInlineMaxBytes),
    params: yield* placeBody(request.params, requestInlineMaxBytes),
  }
}

interface QueueLast {
  position: number
  lane: string
  source: string
  coalesceUntilMs: number | null
  streaming: number
  deliverTo: string | null
  instructions: string | null
  instructionsBlob: number | null
  params: string | null
  paramsBlob: number | null
}

/** The last waiting turn, if its window is open and it asks in the same way; joining an earlier one would change the order. */
function* findJoinable(sessionId: number, request: PlacedRequest, input: StoredAdmission): Steps<number | null> {
  const last = yield* first<QueueLast>(turnSql.queueLast, sessionId)
  if (last === undefined || last.coalesceUntilMs === null || last.coalesceUntilMs <= input.atMs) return null
  const sameWay =
    last.lane === input.lane &&
    last.source === input.source &&
    last.streaming === request.streaming &&
    last.deliverTo === request.deliverTo &&
    last.instructions === request.instructions.text &&
    last.instructionsBlob === request.instructions.blob &&
    last.params === request.params.text &&
    last.paramsBlob === request.params.blob
  return sameWay && (yield* fits(last.position, input)) ? last.position : null
}

/** A turn is answered from one context, however many messages joined it. */
function* fits(position: number, { tokens, coalesceTokensMax }: StoredAdmission): Steps<boolean> {
  const waiting = (yield* first<{ tokens: number }>(inboundSql.tokensOfTurn, position))?.tokens ?? 0
  return tokens.reduce((total, each) => total + each, waiting) <= coalesceTokensMax
}

function* addTurn(
  sessionId: number,
  { streaming, deliverTo, instructions, params }: PlacedRequest,
  input: StoredAdmission,
  lease: LeaseRow | null,
): Steps<number> {
  const [next, head] = yield* together(first<{ position: number }>(turnSql.nextPosition), queueHead(sessionId))
  const { position } = next as { position: number }
  const place = input.onBusy === 'interrupt' ? placeOf.first(position) : placeOf.queued(position)
  const untilMs = input.onBusy === 'coalesce' ? input.atMs + input.coalesceMs : null
  yield* write(
    turnSql.add,
    ...[position, input.turnId, sessionId, input.lane, input.source, place],
    laneOrderOf(input.lane, position, input.key),
    ...[untilMs, untilMs, blockedBy(head, place, lease), input.atMs, input.atMs, streaming, deliverTo],
    ...[instructions.text, instructions.blob, params.text, params.blob],
  )
  return position
}

/** Read from the lease's own operation, so that a lease of another kind would show under its own name. */
export function blockedBy(head: QueueHead, place: number, lease: LeaseRow | null): WaitCause | null {
  if (lease !== null) return lease.operation === 'turn' ? 'session' : 'lease'
  return head.place !== null && head.place < place ? 'session' : null
}

function* addInbound(
  position: number,
  sessionId: number,
  input: StoredAdmission,
  interrupted: string | null,
): Steps<void> {
  const body = yield* placeBody(input.messages, bodyInlineMaxBytes)
  yield* write(
    inboundSql.add,
    ...[position, sessionId, input.turnId, input.dedupeKey, input.digest, interrupted, body.text, body.blob],
    ...[body.bytes, JSON.stringify(input.tokens), input.atMs],
  )
}

function* readTurn(position: number) {
  return turnOf((yield* first<TurnRow>(turnSql.byPosition, position)) as TurnRow)
}
