import { HoldfastError } from '../../model/errors.ts'
import type { Holder } from '../../model/holders.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Claim, ClaimInput } from '../../store/turns.ts'
import { failureOf } from '../file/failures.ts'
import { inboundOf, requestOf, type StoredInbound, type StoredRequestText } from '../file/inbound.ts'
import { type SessionRow, sessionOf, type TurnRow, turnOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { addAsked } from './asked.ts'
import { nextTurn, noteStart } from './lanes.ts'
import { hideRange, recountContext } from './transcript.ts'
import type { Work } from './work.ts'

export type StoredClaim = Omit<Claim, 'inbound' | 'request'> & { inbound: StoredInbound[]; request: StoredRequestText }

/** Windows that one claim closes, some 10 µs each; those beyond are for the next, so that none holds up the writer. */
const dueMax = 1_000

/** `claim` names this call: a repeat after an unknown outcome finds the lease that the first try took. */
export function claimTurn(work: Work, input: ClaimInput & { claim: string }): StoredClaim | null {
  const taken = work.db.first<{ turn: number }>(leaseSql.byClaim, input.claim)
  if (taken !== undefined) return readClaim(work, taken.turn)
  work.db.run(turnSql.due, input.atMs, dueMax)
  const next = nextTurn(work.db, input.holder.id, input.rules, input.atMs)
  if (next === null) return null
  work.requireRoom()
  try {
    take(work, next, input)
    return readClaim(work, next)
  } catch (error) {
    throw cannotStart(work, next, error)
  }
}

/** Says which turn it is, so that somebody can see to it; what a disk gives as an error stays that. */
function cannotStart({ db }: Work, position: number, error: unknown): unknown {
  const { code, facts } = failureOf(error)
  if (code !== 'INTERNAL' && code !== 'HEAD_MOVED' && code !== 'STORE_CORRUPT') return error
  const found = db.first<{ turnId: string; sessionKey: SessionKey }>(turnSql.idsOf, position)
  const because = String(facts.because ?? facts.name ?? code)
  return new HoldfastError('STORE_CORRUPT', { ...found, because }, { cause: error })
}

function take(work: Work, position: number, input: ClaimInput & { claim: string }): void {
  const { db } = work
  const turn = db.first<TurnRow>(turnSql.byPosition, position) as TurnRow
  db.run(sessionSql.take, turn.session)
  const session = db.first<SessionRow>(sessionSql.byId, turn.session) as SessionRow
  const { fence } = session
  addHolder(work, input.holder)
  db.run(leaseSql.add, session.id, position, fence, turn.lane, turn.source, input.holder.id, input.claim, input.atMs)
  work.queue.total -= 1

  const { from, to, stood } = addAsked(db, session, turn, turn.attempts + 1, input.atMs)
  const head = Math.max(session.head, to)
  db.run(turnSql.start, ...[position, fence, input.holder.id, input.atMs, session.transcript, from, to, head + 1])
  noteStart(db, turn.lane, turn.source)
  if (!stood || turn.attemptFrom === null) return
  hideRange(db, session.transcriptId, turn.attemptFrom, turn.attemptTo ?? session.head)
  recountContext(db, session.id)
}

function addHolder({ db }: Work, holder: Holder): void {
  const { id, host, bootId, pidNamespace, pid, startTicks, sinceMs } = holder
  db.run(leaseSql.addHolder, id, host, bootId, pidNamespace, pid, startTicks, sinceMs)
}

function readClaim({ db }: Work, position: number): StoredClaim {
  const turn = db.first<TurnRow>(turnSql.byPosition, position) as TurnRow
  const session = db.first<SessionRow>(sessionSql.byId, turn.session) as SessionRow
  return {
    turn: turnOf(turn),
    inbound: inboundOf(db, position),
    request: requestOf(db, turn),
    session: sessionOf(session),
    fence: session.fence,
    head: session.head,
    waitedMs: Math.max(0, (turn.startedAtMs ?? 0) - turn.queuedMs),
  }
}
