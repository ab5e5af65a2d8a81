import { HoldfastError } from '../../model/errors.ts'
import type { Holder } from '../../model/holders.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Claim, ClaimInput } from '../../store/turns.ts'
import { inboundOf, requestOf, type StoredInbound, type StoredRequestText } from '../rows/inbound.ts'
import { type SessionRow, sessionOf, type TurnRow, turnOf } from '../rows/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { first, type Steps, together, write } from '../steps.ts'
import { addAsked } from './asked.ts'
import { nextTurn, noteStart } from './lanes.ts'
import { hideRange, recountContext } from './transcript.ts'
import type { Work } from './work.ts'

export type StoredClaim = Omit<Claim, 'inbound' | 'request'> & { inbound: StoredInbound[]; request: StoredRequestText }

/** Windows that one claim closes, some 10 µs each; those beyond are for the next, so that none holds up the writer. */
const dueMax = 1_000

interface Claimable {
  taken: number | null
  due: number
  waiting: number
}

/** `claim` names this call: a repeat after an unknown outcome finds the lease that the first try took. */
export function* claimTurn(work: Work, input: ClaimInput & { claim: string }): Steps<StoredClaim | null> {
  const { taken, due, waiting } = (yield* first<Claimable>(turnSql.claimable, input.claim, input.atMs)) as Claimable
  if (taken !== null) {
    const [turn, inbound] = yield* together(first<TurnRow>(turnSql.byPosition, taken), inboundOf(taken))
    return yield* readClaim(turn as TurnRow, inbound)
  }
  if (due === 0 && waiting === 0) return null
  if (due === 1) yield* write(turnSql.due, input.atMs, dueMax)
  const next = yield* nextTurn(input.holder.id, input.rules, input.atMs)
  if (next === null) return null
  work.requireRoom()
  const turn = (yield* first<TurnRow>(turnSql.byPosition, next)) as TurnRow
  try {
    return yield* readClaim(turn, yield* take(work, turn, input))
  } catch (error) {
    throw yield* cannotStart(work, next, error)
  }
}

/** Says which turn it is, so that somebody can see to it; what a disk gives as an error stays that. */
function* cannotStart(work: Work, position: number, error: unknown): Steps<unknown> {
  const { code, facts } = work.failures.failureOf(error)
  if (work.failures.endsTransaction(error)) return error
  if (code !== 'INTERNAL' && code !== 'HEAD_MOVED' && code !== 'STORE_CORRUPT') return error
  const found = yield* first<{ turnId: string; sessionKey: SessionKey }>(turnSql.idsOf, position)
  const because = String(facts.because ?? facts.name ?? code)
  return new HoldfastError('STORE_CORRUPT', { ...found, because }, { cause: error })
}

/** Gives the turn's messages, which stand in the transcript afterwards. */
function* take(work: Work, turn: TurnRow, input: ClaimInput & { claim: string }): Steps<StoredInbound[]> {
  const { position } = turn
  yield* write(sessionSql.take, turn.session)
  const [found, inbound] = yield* together(first<SessionRow>(sessionSql.byId, turn.session), inboundOf(position))
  const session = found as SessionRow
  const { fence } = session
  yield* addHolder(input.holder)
  yield* write(
    leaseSql.add,
    session.id,
    position,
    fence,
    turn.lane,
    turn.source,
    input.holder.id,
    input.claim,
    input.atMs,
  )
  work.queue.total -= 1

  const { from, to, stood } = yield* addAsked(session, turn, turn.attempts + 1, inbound, input.atMs)
  const head = Math.max(session.head, to)
  yield* write(turnSql.start, ...[position, fence, input.holder.id, input.atMs, session.transcript, from, to, head + 1])
  yield* noteStart(turn.lane, turn.source)
  if (!stood || turn.attemptFrom === null) return inbound
  yield* hideRange(session.transcriptId, turn.attemptFrom, turn.attemptTo ?? session.head)
  yield* recountContext(session.id)
  return inbound
}

export function* addHolder(holder: Holder): Steps<void> {
  const { id, host, bootId, pidNamespace, pid, startTicks, sinceMs } = holder
  yield* write(leaseSql.addHolder, id, host, bootId, pidNamespace, pid, startTicks, sinceMs)
}

/** `before`: the turn as it was, whose request does not change. */
function* readClaim(before: TurnRow, inbound: StoredInbound[]): Steps<StoredClaim> {
  const [found, row, request] = yield* together(
    first<TurnRow>(turnSql.byPosition, before.position),
    first<SessionRow>(sessionSql.byId, before.session),
    requestOf(before),
  )
  const [turn, session] = [found as TurnRow, row as SessionRow]
  return {
    turn: turnOf(turn),
    inbound,
    request,
    session: sessionOf(session),
    fence: session.fence,
    head: session.head,
    waitedMs: Math.max(0, (turn.startedAtMs ?? 0) - turn.queuedMs),
  }
}
