import { bodyInlineMaxBytes } from '../../relational/rows/bodies.ts'
import type { Value } from '../../relational/steps.ts'
import type { StoredAppend } from '../../relational/verbs/entries.ts'
import { quoted, type Result, type Text } from '../database/connection.ts'
import { wordsOf } from '../statements/words.ts'

/** More at once, or larger bodies, go the general way. */
const entriesMax = 8

/**
 * The usual append as one statement: who holds the lease under this fence, and knows the head, grows the transcript. `running` is
 * read with the row that is changed: the lease itself may have ended while we waited for that row, under the same fence. `before` is the row as it
 * was, which is the same as long as the head is.
 *
 * ?1 key, ?2 turn's id, ?3 fence, ?4 head, ?5 now, ?6 shown count and ?7 tokens of all, ?8 bytes, ?9 id of the last entry, then eight for
 * each entry.
 */
const appendSql = (count: number, at: string): string => `
  WITH grown AS (
    UPDATE ${at}.session s SET head = s.head + ${count}, head_id = ?9, shown_count = s.shown_count + ?6,
      shown_tokens = s.shown_tokens + ?7, context_tokens = s.context_tokens + ?7, entries = s.entries + ${count},
      bytes = s.bytes + ?8
    FROM ${at}.session before, ${at}.lease l, ${at}.turn t
    WHERE s.key = ?1 AND s.fence = ?3 AND s.head = ?4 AND s.running = 1 AND before.key = ?1
      AND l.session = s.id AND l.fence = s.fence AND t.id = ?2 AND t.position = l.turn
    RETURNING s.transcript_id, s.head, before.head_id, before.shown_count, before.shown_tokens, t.position, t.attempts
  ), added AS (
    INSERT INTO ${at}.entry (n, transcript, seq, id, parent_id, turn, attempt, kind, body, bytes, tokens, shown_count,
      shown_tokens, at_ms)
    SELECT nextval('${at.replaceAll("'", "''")}.entry_number'), g.transcript_id, ?4 + e.at, e.id, coalesce(e.parent_id, g.head_id),
      g.position, g.attempts, e.kind, e.body, e.bytes, e.tokens, g.shown_count + e.shown_count,
      g.shown_tokens + e.shown_tokens, CAST(?5 AS BIGINT)
    FROM grown g, (VALUES ${Array.from({ length: count }, (_, index) => rowAt(index)).join(', ')})
      AS e(at, id, parent_id, kind, body, bytes, tokens, shown_count, shown_tokens)
  )
  SELECT head FROM grown`

const before = 9
const perEntry = 8

/** Values in a list have no types but those that are said. */
function rowAt(at: number): string {
  const types = ['TEXT', 'TEXT', 'TEXT', 'TEXT', 'BIGINT', 'BIGINT', 'BIGINT', 'BIGINT']
  const places = types.map((type, index) => `CAST(?${before + at * perEntry + index + 1} AS ${type})`)
  return `(${at + 1}, ${places.join(', ')})`
}

const texts = new Map<string, Text>()

/** The append as one statement; null when it has to go the general way. */
export function appendAtOnce(input: StoredAppend, schema: string): { text: Text; values: Value[] } | null {
  const { entries } = input
  if (entries.length === 0 || entries.length > entriesMax) return null
  const values: Value[] = []
  const shown = { count: 0, tokens: 0, bytes: 0 }
  let parentId: string | null = null
  for (const { id, kind, body, tokens } of entries) {
    const bytes = Buffer.byteLength(body)
    if (bytes > bodyInlineMaxBytes) return null
    shown.bytes += bytes
    if (kind !== 'event') {
      shown.count += 1
      shown.tokens += tokens
    }
    values.push(id, parentId, kind, body, bytes, tokens, shown.count, shown.tokens)
    parentId = id
  }
  const { key, turnId, fence, head, atMs } = input
  const all = [key, turnId, fence, head, atMs, shown.count, shown.tokens, shown.bytes, parentId]
  return { text: textFor(entries.length, schema), values: [...all, ...values] }
}

function textFor(count: number, schema: string): Text {
  const known = `${count} ${schema}`
  let text = texts.get(known)
  if (text === undefined) {
    text = wordsOf(appendSql(count, quoted(schema)))[0] as Text
    texts.set(known, text)
  }
  return text
}

/** Undefined: it did not fit as it is, and the general way says why, or finds that it was done before. */
export function headAfter({ rows }: Result): { head: number } | undefined {
  return rows[0] as { head: number } | undefined
}
