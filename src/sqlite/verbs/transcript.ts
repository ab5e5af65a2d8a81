import { HoldfastError } from '../../model/errors.ts'
import { bodyInlineMaxBytes, placeBody } from '../file/bodies.ts'
import type { Connection } from '../file/connection.ts'
import { breaksTransaction } from '../file/failures.ts'
import type { NewStoredEntry, SessionRow } from '../file/rows.ts'
import { contextTokensOf, difference } from '../file/shown.ts'
import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'

/** The end of a session's current transcript, as it is before entries are added. */
export type Head = Pick<SessionRow, 'id' | 'transcriptId' | 'head' | 'headId' | 'shownCount' | 'shownTokens' | 'fence'>

/** Who writes: the turn's position and attempt, or nobody's turn. */
export interface Author {
  turn: number | null
  attempt: number
}

/** Adds entries at the head and moves it. Gives the new head. @throws HEAD_MOVED */
export function addEntries(
  db: Connection,
  before: Head,
  author: Author,
  entries: readonly NewStoredEntry[],
  atMs: number,
): number {
  if (entries.length === 0) return before.head
  let { head, headId, shownCount, shownTokens } = before
  let bytes = 0
  for (const entry of entries) {
    const place = placeBody(db, entry.body, bodyInlineMaxBytes)
    head += 1
    bytes += place.bytes
    if (entry.kind !== 'event') {
      shownCount += 1
      shownTokens += entry.tokens
    }
    db.run(
      entrySql.add,
      ...[before.transcriptId, head, entry.id, headId, author.turn, author.attempt, entry.kind, place.text, place.blob],
      ...[place.bytes, entry.tokens, shownCount, shownTokens, atMs],
    )
    headId = entry.id
  }
  const changed = db.run(
    sessionSql.grow,
    ...[before.id, before.fence, before.transcriptId, before.head, head, headId, shownCount, shownTokens, bytes],
  )
  if (changed !== 1) throw new HoldfastError('HEAD_MOVED', { head: before.head })
  return head
}

/**
 * For what is written beside the point of a verb: a transcript that is damaged must not keep a turn from ending. False when
 * nothing of it was written.
 */
export function unlessDamaged(db: Connection, write: () => void): boolean {
  db.command('SAVEPOINT beside')
  try {
    write()
  } catch (error) {
    if (breaksTransaction(error)) throw error
    db.command('ROLLBACK TO beside')
    db.command('RELEASE beside')
    return false
  }
  db.command('RELEASE beside')
  return true
}

/** Do exactly these entries stand after `head` already? Then an earlier try of the same append was committed. */
export function standAlready(db: Connection, transcriptId: number, head: number, entries: readonly NewStoredEntry[]) {
  const found = db.all<{ id: string }>(entrySql.idsBetween, transcriptId, head + 1, head + entries.length)
  return entries.length > 0 && found.length === entries.length && found.every(({ id }, at) => id === entries[at]?.id)
}

/** From now on the model is not shown this range of a transcript. The entries stay as they are. */
export function hideRange(db: Connection, transcriptId: number, fromSeq: number, toSeq: number): void {
  if (toSeq < fromSeq) return
  const shown = difference(db, transcriptId, fromSeq - 1, toSeq)
  db.run(entrySql.hide, transcriptId, fromSeq, toSeq, shown.count, shown.tokens)
}

/** Counts the context again, after a summary or a hidden range changed what is shown. */
export function recountContext(db: Connection, sessionId: number): void {
  const session = db.first<SessionRow>(sessionSql.byId, sessionId) as SessionRow
  db.run(sessionSql.setContextTokens, contextTokensOf(db, session), sessionId)
}
