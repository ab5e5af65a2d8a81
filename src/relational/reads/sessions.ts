import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Session, Summary } from '../../model/sessions.ts'
import type { Page } from '../../store/page.ts'
import type { SessionQuery } from '../../store/sessions.ts'
import { cursorOf, parseCursor } from '../rows/cursor.ts'
import { type SessionRow, sessionOf } from '../rows/rows.ts'
import { sessionSql } from '../statements/sessions.ts'
import { summarySql } from '../statements/summaries.ts'
import { all, first, type Steps } from '../steps.ts'

/** Rows of one answer; a larger limit is cut to this. */
export const pageMax = 1_000

export function* readSession(key: SessionKey): Steps<Session | null> {
  const row = yield* first<SessionRow>(sessionSql.byKey, key)
  return row === undefined ? null : sessionOf(row)
}

/** @throws HoldfastError SESSION_NOT_FOUND */
export function* findSession(key: SessionKey): Steps<SessionRow> {
  const row = yield* first<SessionRow>(sessionSql.byKey, key)
  if (row === undefined) throw new HoldfastError('SESSION_NOT_FOUND', { key })
  return row
}

export function* listSessions(query: SessionQuery): Steps<Page<Session>> {
  const limit = Math.min(query.limit, pageMax)
  const [activeMs, id] =
    query.after === undefined ? [Number.MAX_SAFE_INTEGER, 0] : parseCursor('sessions', 2, query.after)
  const rows = yield* all<SessionRow>(
    sessionSql.list,
    ...[query.state ?? 'open', activeMs as number, id as number, query.kind ?? null, query.agentId ?? null],
    ...[query.prefix ?? null, query.prefix === undefined ? null : `${query.prefix}\x7f`],
    ...[query.busy === undefined ? null : Number(query.busy), limit + 1],
  )
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items: items.map(sessionOf), next: more ? cursorOf('sessions', last.activeAtMs, last.id) : null }
}

export function* listSummaries(key: SessionKey): Steps<Summary[]> {
  const session = yield* findSession(key)
  return yield* all<Summary>(summarySql.list, session.id, session.transcript)
}
