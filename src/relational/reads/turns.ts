import type { Holder, Lease } from '../../model/holders.ts'
import type { Turn } from '../../model/turns.ts'
import { isSettled } from '../../model/turns.ts'
import type { Page } from '../../store/page.ts'
import type { TurnDetail, TurnQuery, TurnState } from '../../store/turns.ts'
import { cursorOf, parseCursor } from '../rows/cursor.ts'
import { inboundOf, requestOf, type StoredInbound, type StoredRequestText } from '../rows/inbound.ts'
import { replyOf, type StoredReply } from '../rows/replies.ts'
import { type SessionRow, type TurnRow, turnOf } from '../rows/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { all, first, type Steps, together } from '../steps.ts'
import { pageMax } from './sessions.ts'

export interface StoredTurnDetail extends Omit<TurnDetail, 'inbound' | 'request' | 'reply'>, StoredReply {
  inbound: StoredInbound[]
  request: StoredRequestText
}

export function* readTurn(turnId: string): Steps<StoredTurnDetail | null> {
  const row = yield* first<TurnRow>(turnSql.byId, turnId)
  if (row === undefined) return null
  const [inbound, request, reply] = yield* together(inboundOf(row.position), requestOf(row), replyOf(row))
  return { turn: turnOf(row), inbound, request, reply }
}

export function* readTurnStates({ turnIds }: { turnIds: readonly string[] }): Steps<TurnState[]> {
  return yield* all<TurnState>(turnSql.states, JSON.stringify(turnIds.slice(0, pageMax)))
}

export function* listTurns(query: TurnQuery): Steps<Page<Turn>> {
  const limit = Math.min(query.limit, pageMax)
  const start = query.order === 'oldest' ? 0 : Number.MAX_SAFE_INTEGER
  const [after] = query.after === undefined ? [start] : parseCursor('turns', 1, query.after)
  const session = query.key === undefined ? null : ((yield* first<SessionRow>(sessionSql.byKey, query.key))?.id ?? -1)
  const statuses = query.statuses === undefined ? null : JSON.stringify(query.statuses)
  const rows = yield* all<TurnRow>(statementFor(query), after as number, session, statuses, limit + 1)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items: items.map(turnOf), next: more ? cursorOf('turns', last.position) : null }
}

/** The one whose index fits the question. */
function statementFor({ order, key, statuses }: TurnQuery): string {
  const oldest = order === 'oldest'
  if (statuses !== undefined && !statuses.some(isSettled)) return oldest ? turnSql.oldestOpen : turnSql.newestOpen
  if (key !== undefined) return oldest ? turnSql.oldestOfSession : turnSql.newestOfSession
  return oldest ? turnSql.oldestAfter : turnSql.newestBefore
}

interface LeaseListRow extends Omit<Lease, 'holder'>, Omit<Holder, 'id'> {
  holderId: string
}

export function* listLeases(): Steps<Lease[]> {
  return (yield* all<LeaseListRow>(leaseSql.list)).map((row) => {
    const { holderId, host, bootId, pidNamespace, pid, startTicks, sinceMs, ...lease } = row
    return { ...lease, holder: { id: holderId, host, bootId, pidNamespace, pid, startTicks, sinceMs } }
  })
}
