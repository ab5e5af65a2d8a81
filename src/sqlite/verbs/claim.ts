import { planClaim } from '../../lanes/plan.ts'
import type { Holder } from '../../model/holders.ts'
import { type LaneName, laneNames } from '../../model/lanes.ts'
import type { Claim, ClaimInput } from '../../store/turns.ts'
import { inboundOf, requestOf, type StoredInbound, type StoredRequestText } from '../file/inbound.ts'
import { type SessionRow, sessionOf, type TurnRow, turnOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { addAsked } from './asked.ts'
import { hideRange, recountContext } from './transcript.ts'
import type { Work } from './work.ts'

export type StoredClaim = Omit<Claim, 'inbound' | 'request'> & { inbound: StoredInbound[]; request: StoredRequestText }

/** `claim` names this call: a repeat after an unknown outcome finds the lease that the first try took. */
export function claimTurn(work: Work, input: ClaimInput & { claim: string }): StoredClaim | null {
  const taken = work.db.first<{ turn: number }>(leaseSql.byClaim, input.claim)
  if (taken !== undefined) return readClaim(work, taken.turn)
  work.db.run(turnSql.due, input.atMs)
  const next = nextTurn(work, input)
  if (next === null) return null
  work.requireRoom()
  take(work, next, input)
  return readClaim(work, next)
}

/** The position of the turn that the lane rules choose. */
function nextTurn({ db }: Work, input: ClaimInput): number | null {
  const ready = new Map<LaneName, number>()
  for (const lane of laneNames) {
    const found = db.first<{ position: number }>(turnSql.readyInLane, lane)
    if (found !== undefined) ready.set(lane, found.position)
  }
  if (ready.size === 0) return null
  const counted = db.all<{ lane: LaneName; running: number }>(turnSql.runningByLane, input.holder.id)
  const running = new Map(counted.map((row) => [row.lane, row.running]))
  const facts = laneNames.map((lane) => ({ lane, running: running.get(lane) ?? 0, ready: ready.has(lane) }))
  const plan = planClaim(facts, input.limits)
  return plan.kind === 'take' ? (ready.get(plan.from) ?? null) : null
}

function take(work: Work, position: number, input: ClaimInput & { claim: string }): void {
  const { db } = work
  const turn = db.first<TurnRow>(turnSql.byPosition, position) as TurnRow
  db.run(sessionSql.take, turn.session)
  const session = db.first<SessionRow>(sessionSql.byId, turn.session) as SessionRow
  const { fence } = session
  addHolder(work, input.holder)
  db.run(leaseSql.add, session.id, position, fence, turn.lane, input.holder.id, input.claim, input.atMs)
  work.queue.total -= 1

  const { from, to, stood } = addAsked(db, session, turn, turn.attempts + 1, input.atMs)
  const head = Math.max(session.head, to)
  db.run(turnSql.start, ...[position, fence, input.holder.id, input.atMs, session.transcript, from, to, head + 1])
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
