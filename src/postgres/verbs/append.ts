import { bodyInlineMaxBytes } from '../../relational/rows/bodies.ts'
import type { Value } from '../../relational/steps.ts'
import type { StoredAppend } from '../../relational/verbs/entries.ts'
import type { Result, Text } from '../database/connection.ts'
import { wordsOf } from '../statements/words.ts'

/** More at once, or larger bodies, go the general way. */
const entriesMax = 8

/**
 * The usual append as one statement: who holds the lease under this fence, and knows the head, grows the transcript. `running` is
 * read with the row that is held: the lease itself may have ended while we waited for that row, under the same fence.
 *
 * ?1 key, ?2 turn's id, ?3 fence, ?4 head, ?5 now, ?6 shown count and ?7 tokens of all, ?8 bytes, ?9 id of the last entry, then eight for
 * each entry.
 */
const appendSql = (count: number): string => `
  WITH held AS (
    SELECT s.id, s.transcript_id, s.head, s.head_id, s.shown_count, s.shown_tokens, t.position, t.attempts
    FROM session s JOIN lease l ON l.session = s.id AND l.fence = s.fence JOIN turn t ON t.position = l.turn
    WHERE s.key = ?1 AND t.id = ?2 AND s.fence = ?3 AND s.head = ?4 AND s.running = 1
    FOR UPDATE OF s
  ), grown AS (
    UPDATE session s SET head = s.head + ${count}, head_id = ?9, shown_count = s.shown_count + ?6,
      shown_tokens = s.shown_tokens + ?7, context_tokens = s.context_tokens + ?7, entries = s.entries + ${count},
      bytes = s.bytes + ?8
    FROM held WHERE s.id = held.id
    RETURNING s.head
  ), added AS (
    INSERT INTO entry (n, transcript, seq, id, parent_id, turn, attempt, kind, body, bytes, tokens, shown_count,
      shown_tokens, at_ms)
    SELECT nextval('entry_number'), h.transcript_id, h.head + e.at, e.id, coalesce(e.parent_id, h.head_id), h.position,
      h.attempts, e.kind, e.body, e.bytes, e.tokens, h.shown_count + e.shown_count, h.shown_tokens + e.shown_tokens, CAST(?5 AS BIGINT)
    FROM held h, (VALUES ${Array.from({ length: count }, (_, at) => rowAt(at)).join(', ')})
      AS e(at, id, parent_id, kind, body, bytes, tokens, shown_count, shown_tokens)
    ORDER BY e.at
  )
  SELECT head FROM grown`

const before = 9
const perEntry = 8

/** Types are said once, with the first row. */
function rowAt(at: number): string {
  const types = ['TEXT', 'TEXT', 'TEXT', 'TEXT', 'BIGINT', 'BIGINT', 'BIGINT', 'BIGINT']
  const places = types.map((type, index) => `CAST(?${before + at * perEntry + index + 1} AS ${type})`)
  return `(${at + 1}, ${places.join(', ')})`
}

const texts = new Map<number, string>()

/** The append as one statement; null when it has to go the general way. */
export function appendAtOnce(input: StoredAppend): { text: Text; values: Value[] } | null {
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
  return { text: textFor(entries.length), values: [...all, ...values] }
}

function textFor(count: number): Text {
  let sql = texts.get(count)
  if (sql === undefined) {
    sql = appendSql(count)
    texts.set(count, sql)
  }
  return wordsOf(sql)[0] as Text
}

/** Undefined: it did not fit as it is, and the general way says why, or finds that it was done before. */
export function headAfter({ rows }: Result): { head: number } | undefined {
  return rows[0] as { head: number } | undefined
}
