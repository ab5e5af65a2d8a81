import { HoldfastError } from '../../model/errors.ts'
import type { WaitCause } from '../../model/turns.ts'
import type { AdmitInput, AdmitResult } from '../../store/turns.ts'
import { type BodyPlace, bodyInlineMaxBytes, placeBody, requestInlineMaxBytes } from '../file/bodies.ts'
import type { StoredRequestText } from '../file/inbound.ts'
import { type SessionRow, type TurnRow, turnOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { inboundSql, turnSql } from '../statements/turns.ts'
import type { LeaseRow } from './ending.ts'
import { laneOrderOf, placeOf, refreshReady } from './queue.ts'
import { findOrAdd, resetSession } from './sessions.ts'
import type { Work } from './work.ts'

export type StoredAdmission = Omit<AdmitInput, 'messages' | 'request'> & {
  messages: string
  request: StoredRequestText
}

/** When a refused message may be sent again: a turn rarely ends faster. */
const retryAfterMs = 1_000

export function admitTurn(work: Work, input: StoredAdmission): AdmitResult {
  const session = work.db.first<SessionRow>(sessionSql.byKey, input.key)
  const repeated = repeatOf(work, session, input)
  if (repeated !== null) return repeated
  work.requireRoom()

  const { id, running, queuedTurns } = session ?? findOrAdd(work, input.key, input.atMs)
  const busy = running === 1 || queuedTurns > 0
  if (input.onBusy === 'reject' && busy) {
    throw new HoldfastError('SESSION_BUSY', { key: input.key, queuedTurns }, { retryAfterMs })
  }
  const request = placeRequest(work, input.request)
  const joined = input.onBusy === 'coalesce' ? findJoinable(work, id, request, input) : null
  if (joined !== null) {
    addInbound(work, joined, id, input, null)
    work.db.run(sessionSql.touched, id, input.atMs)
    const turn = readTurn(work, joined)
    return { turn, repeated: false, coalesced: true, interruptedTurnId: null, begunTranscript: null }
  }
  checkBounds(input, queuedTurns, work.queue.total)
  const begunTranscript = session === undefined || busy ? null : beginAnew(work, session, input)

  const lease = running === 1 ? (work.db.first<LeaseRow>(leaseSql.ofSession, input.key) as LeaseRow) : null
  const interrupts = input.onBusy === 'interrupt' && lease !== null
  if (interrupts) work.db.run(turnSql.requestCancel, lease.turn, 'a newer message interrupts it')
  const interruptedTurnId = interrupts ? lease.turnId : null
  const position = addTurn(work, id, request, input, lease)
  addInbound(work, position, id, input, interruptedTurnId)
  work.db.run(sessionSql.admitted, id, input.atMs)
  work.queue.total += 1
  refreshReady(work, id, lease !== null, input.atMs)
  return { turn: readTurn(work, position), repeated: false, coalesced: false, interruptedTurnId, begunTranscript }
}

/** The reset that came with the message, in its own step, so that a repeat of either finds both. */
function beginAnew(work: Work, session: SessionRow, { reset, atMs }: StoredAdmission): number | null {
  if (reset == null || reset.transcript !== session.transcript) return null
  if (work.db.first(turnSql.hasInterrupted, session.id) !== undefined) return null
  return resetSession(work, { key: session.key, reason: reset.reason, atMs }).session.transcript
}

interface InboundRow {
  turn: number
  admission: string
  digest: string
  interrupted: string | null
  seen: number
}

/** The same call again, or the same dedupe key: the turn that was made then. @throws IDEMPOTENCY_MISMATCH */
function repeatOf(work: Work, session: SessionRow | undefined, input: StoredAdmission): AdmitResult | null {
  const byAdmission = work.db.first<InboundRow>(inboundSql.byAdmission, input.turnId)
  if (byAdmission?.seen === 0) giveUpIds(work, input.turnId)
  if (session === undefined) return null
  const byDedupe = () =>
    input.dedupeKey === null ? undefined : work.db.first<InboundRow>(inboundSql.byDedupe, session.id, input.dedupeKey)
  const found = byAdmission?.seen === 1 ? byAdmission : byDedupe()
  if (found === undefined) return null
  if (found.digest !== input.digest) throw new HoldfastError('IDEMPOTENCY_MISMATCH', { key: input.key })
  const turn = readTurn(work, found.turn)
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
function giveUpIds({ db }: Work, turnId: string): void {
  db.run(inboundSql.giveUpAdmission, turnId)
  db.run(inboundSql.giveUpTurnId, turnId)
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

function placeRequest(work: Work, request: StoredRequestText): PlacedRequest {
  return {
    streaming: Number(request.streaming),
    deliverTo: request.deliverTo === null ? null : JSON.stringify(request.deliverTo),
    instructions: placeBody(work.db, request.instructions, requestInlineMaxBytes),
    params: placeBody(work.db, request.params, requestInlineMaxBytes),
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
function findJoinable(work: Work, sessionId: number, request: PlacedRequest, input: StoredAdmission): number | null {
  const last = work.db.first<QueueLast>(turnSql.queueLast, sessionId)
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
  return sameWay && fits(work, last.position, input) ? last.position : null
}

/** A turn is answered from one context, however many messages joined it. */
function fits(work: Work, position: number, { tokens, coalesceTokensMax }: StoredAdmission): boolean {
  const waiting = work.db.first<{ tokens: number }>(inboundSql.tokensOfTurn, position)?.tokens ?? 0
  return tokens.reduce((total, each) => total + each, waiting) <= coalesceTokensMax
}

function addTurn(
  work: Work,
  sessionId: number,
  { streaming, deliverTo, instructions, params }: PlacedRequest,
  input: StoredAdmission,
  lease: LeaseRow | null,
): number {
  const { position } = work.db.first<{ position: number }>(turnSql.nextPosition) as { position: number }
  const place = input.onBusy === 'interrupt' ? placeOf.first(position) : placeOf.queued(position)
  const untilMs = input.onBusy === 'coalesce' ? input.atMs + input.coalesceMs : null
  work.db.run(
    turnSql.add,
    ...[position, input.turnId, sessionId, input.lane, input.source, place],
    laneOrderOf(input.lane, position, input.key),
    ...[untilMs, untilMs, blockedBy(work, sessionId, place, lease), input.atMs, input.atMs, streaming, deliverTo],
    ...[instructions.text, instructions.blob, params.text, params.blob],
  )
  return position
}

/** Read from the lease's own operation, so that a lease of another kind would show under its own name. */
export function blockedBy(work: Work, sessionId: number, place: number, lease: LeaseRow | null): WaitCause | null {
  if (lease !== null) return lease.operation === 'turn' ? 'session' : 'lease'
  const head = work.db.first<{ place: number }>(turnSql.queueHead, sessionId)
  return head !== undefined && head.place < place ? 'session' : null
}

function addInbound(
  work: Work,
  position: number,
  sessionId: number,
  input: StoredAdmission,
  interrupted: string | null,
): void {
  const body = placeBody(work.db, input.messages, bodyInlineMaxBytes)
  work.db.run(
    inboundSql.add,
    ...[position, sessionId, input.turnId, input.dedupeKey, input.digest, interrupted, body.text, body.blob],
    ...[body.bytes, JSON.stringify(input.tokens), input.atMs],
  )
}

function readTurn(work: Work, position: number) {
  return turnOf(work.db.first<TurnRow>(turnSql.byPosition, position) as TurnRow)
}
