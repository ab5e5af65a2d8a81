import type { Holder, Lease } from '../../model/holders.ts'
import type { Turn } from '../../model/turns.ts'
import { isSettled } from '../../model/turns.ts'
import type { Page } from '../../store/page.ts'
import type { TurnDetail, TurnQuery } from '../../store/turns.ts'
import type { Connection } from '../file/connection.ts'
import { cursorOf, parseCursor } from '../file/cursor.ts'
import { inboundOf, requestOf, type StoredInbound, type StoredRequestText } from '../file/inbound.ts'
import { replyOf, type StoredReply } from '../file/replies.ts'
import { type SessionRow, type TurnRow, turnOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { pageMax } from './sessions.ts'

export interface StoredTurnDetail extends Omit<TurnDetail, 'inbound' | 'request' | 'reply'>, StoredReply {
  inbound: StoredInbound[]
  request: StoredRequestText
}

export function readTurn(db: Connection, turnId: string): StoredTurnDetail | null {
  const row = db.first<TurnRow>(turnSql.byId, turnId)
  if (row === undefined) return null
  const { position } = row
  return { turn: turnOf(row), inbound: inboundOf(db, position), request: requestOf(db, row), reply: replyOf(db, row) }
}

export function listTurns(db: Connection, query: TurnQuery): Page<Turn> {
  const limit = Math.min(query.limit, pageMax)
  const start = query.order === 'oldest' ? 0 : Number.MAX_SAFE_INTEGER
  const [after] = query.after === undefined ? [start] : parseCursor('turns', 1, query.after)
  const session = query.key === undefined ? null : (db.first<SessionRow>(sessionSql.byKey, query.key)?.id ?? -1)
  const statuses = query.statuses === undefined ? null : JSON.stringify(query.statuses)
  const rows = db.all<TurnRow>(statementFor(query), after as number, session, statuses, limit + 1)
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

export function listLeases(db: Connection): Lease[] {
  return db.all<LeaseListRow>(leaseSql.list).map((row) => {
    const { holderId, host, bootId, pidNamespace, pid, startTicks, sinceMs, ...lease } = row
    return { ...lease, holder: { id: holderId, host, bootId, pidNamespace, pid, startTicks, sinceMs } }
  })
}
