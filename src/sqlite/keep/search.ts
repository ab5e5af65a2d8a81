import { systemClock } from '../../host/clock.ts'
import type { EventBody } from '../../model/entries.ts'
import type { SessionKey } from '../../model/keys.ts'
import { type Message, textOf } from '../../model/messages.ts'
import type { Page } from '../../store/page.ts'
import type { SearchHit, SearchQuery } from '../../store/sessions.ts'
import { bodyText } from '../file/bodies.ts'
import type { Connection } from '../file/connection.ts'
import { cursorOf, parseCursor } from '../file/cursor.ts'
import { type EntryRow, entryOf, type StoredEntry } from '../file/rows.ts'
import { findSession, pageMax } from '../reads/sessions.ts'
import { entrySql } from '../statements/entries.ts'

/** After this the page ends where the scan stands, found or not; the next page goes on from there. */
const scanMaxMs = 500

export type StoredHit = Omit<SearchHit, 'entry'> & { entry: StoredEntry }

interface FoundRow extends EntryRow {
  sessionKey: SessionKey
  transcript: number
}

export function searchEntries(db: Connection, query: SearchQuery): Page<StoredHit> {
  const words = query.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const limit = Math.min(query.limit, pageMax)
  const [before] = query.after === undefined ? [Number.MAX_SAFE_INTEGER] : parseCursor('search', 1, query.after)
  const session = query.key === undefined ? null : findSession(db, query.key).id
  const endMs = systemClock.steadyMs() + scanMaxMs
  const items: StoredHit[] = []
  for (const row of db.each<FoundRow>(statementFor(session), before as number, session)) {
    const found = holds(row, words)
    if (found) items.push({ sessionKey: row.sessionKey, transcript: row.transcript, entry: entryOf(row) })
    if (items.length >= limit || systemClock.steadyMs() > endMs) return { items, next: cursorOf('search', row.n) }
  }
  return { items, next: null }
}

const statementFor = (session: number | null): string =>
  session === null ? entrySql.searchAll : entrySql.searchSession

function holds(row: EntryRow, words: readonly string[]): boolean {
  const json = bodyText(row.body, row.packed)
  const body = JSON.parse(json) as Message | EventBody
  const text = ('role' in body ? textOf(body as Message) : String(body.text)).toLowerCase()
  return words.length > 0 && words.every((word) => text.includes(word))
}
