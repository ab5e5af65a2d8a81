import { systemClock } from '../../host/clock.ts'
import type { EventBody } from '../../model/entries.ts'
import type { SessionKey } from '../../model/keys.ts'
import { type Message, textOf } from '../../model/messages.ts'
import type { Page } from '../../store/page.ts'
import type { SearchHit, SearchQuery } from '../../store/sessions.ts'
import { bodyText } from '../rows/bodies.ts'
import { cursorOf, parseCursor } from '../rows/cursor.ts'
import { type EntryRow, entryOf, type StoredEntry } from '../rows/rows.ts'
import { entrySql } from '../statements/entries.ts'
import { all, Rows, type Steps } from '../steps.ts'
import { findSession, pageMax } from './sessions.ts'

/** After this the page ends where the scan stands, found or not; the next page goes on from there. */
const scanMaxMs = 500

/** Rows that are read at once, with their bodies. */
const rowsAtOnce = 200

export type StoredHit = Omit<SearchHit, 'entry'> & { entry: StoredEntry }

interface FoundRow extends EntryRow {
  sessionKey: SessionKey
  transcript: number
}

export function* searchEntries(query: SearchQuery): Steps<Page<StoredHit>> {
  const words = query.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const limit = Math.min(query.limit, pageMax)
  const [before] = query.after === undefined ? [Number.MAX_SAFE_INTEGER] : parseCursor('search', 1, query.after)
  const session = query.key === undefined ? null : (yield* findSession(query.key)).id
  const endMs = systemClock.steadyMs() + scanMaxMs
  const items: StoredHit[] = []
  const keyOf = ({ n }: FoundRow) => n
  const rows = new Rows<FoundRow>(before as number, rowsAtOnce, keyOf, (from, count) =>
    session === null
      ? all<FoundRow>(entrySql.searchAll, from, count)
      : all<FoundRow>(entrySql.searchSession, from, session, count),
  )
  for (let row = yield* rows.next(); row !== undefined; row = yield* rows.next()) {
    const found = holds(row, words)
    if (found) items.push({ sessionKey: row.sessionKey, transcript: row.transcript, entry: entryOf(row) })
    if (items.length >= limit || systemClock.steadyMs() > endMs) return { items, next: cursorOf('search', row.n) }
  }
  return { items, next: null }
}

function holds(row: EntryRow, words: readonly string[]): boolean {
  const json = bodyText(row.body, row.packed)
  const body = JSON.parse(json) as Message | EventBody
  const text = ('role' in body ? textOf(body as Message) : String(body.text)).toLowerCase()
  return words.length > 0 && words.every((word) => text.includes(word))
}
