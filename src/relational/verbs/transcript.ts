import { HoldfastError } from '../../model/errors.ts'
import { bodyInlineMaxBytes, placeBody } from '../rows/bodies.ts'
import type { NewStoredEntry, SessionRow } from '../rows/rows.ts'
import { contextTokensOf, difference } from '../rows/shown.ts'
import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'
import { all, command, first, run, type Steps, write } from '../steps.ts'
import type { Work } from './work.ts'

/** The end of a session's current transcript, as it is before entries are added. */
export type Head = Pick<SessionRow, 'id' | 'transcriptId' | 'head' | 'headId' | 'shownCount' | 'shownTokens' | 'fence'>

/** Who writes: the turn's position and attempt, or nobody's turn. */
export interface Author {
  turn: number | null
  attempt: number
}

/** Adds entries at the head and moves it. Gives the new head. @throws HEAD_MOVED */
export function* addEntries(
  before: Head,
  author: Author,
  entries: readonly NewStoredEntry[],
  atMs: number,
): Steps<number> {
  if (entries.length === 0) return before.head
  let { head, headId, shownCount, shownTokens } = before
  let bytes = 0
  for (const entry of entries) {
    const place = yield* placeBody(entry.body, bodyInlineMaxBytes)
    head += 1
    bytes += place.bytes
    if (entry.kind !== 'event') {
      shownCount += 1
      shownTokens += entry.tokens
    }
    yield* write(
      entrySql.add,
      ...[before.transcriptId, head, entry.id, headId, author.turn, author.attempt, entry.kind, place.text, place.blob],
      ...[place.bytes, entry.tokens, shownCount, shownTokens, atMs],
    )
    headId = entry.id
  }
  const changed = yield* run(
    sessionSql.grow,
    ...[before.id, before.fence, before.transcriptId, before.head, head, headId, shownCount, shownTokens, bytes],
  )
  if (changed !== 1) throw new HoldfastError('HEAD_MOVED', { head: before.head })
  return head
}

/**
 * For what is written beside the point of a verb: a transcript that is damaged must not keep a turn from ending. Undefined
 * when nothing of it was written.
 */
export function* unlessDamaged<T>(work: Work, act: () => Steps<T>): Steps<T | undefined> {
  yield* command('SAVEPOINT beside')
  try {
    const written = yield* act()
    yield* command('RELEASE beside') // what a write of it was refused is thrown here at the latest
    return written
  } catch (error) {
    if (work.failures.breaksTransaction(error)) throw error
    yield* command('ROLLBACK TO beside')
    yield* command('RELEASE beside')
    return undefined
  }
}

/** Do exactly these entries stand after `head` already? Then an earlier try of the same append was committed. */
export function* standAlready(transcriptId: number, head: number, entries: readonly NewStoredEntry[]) {
  const found = yield* all<{ id: string }>(entrySql.idsBetween, transcriptId, head + 1, head + entries.length)
  return entries.length > 0 && found.length === entries.length && found.every(({ id }, at) => id === entries[at]?.id)
}

/** From now on the model is not shown this range of a transcript. The entries stay as they are. */
export function* hideRange(transcriptId: number, fromSeq: number, toSeq: number): Steps<void> {
  if (toSeq < fromSeq) return
  const shown = yield* difference(transcriptId, fromSeq - 1, toSeq)
  yield* write(entrySql.hide, transcriptId, fromSeq, toSeq, shown.count, shown.tokens)
}

/** Counts the context again, after a summary or a hidden range changed what is shown. */
export function* recountContext(sessionId: number): Steps<void> {
  const session = (yield* first<SessionRow>(sessionSql.byId, sessionId)) as SessionRow
  yield* write(sessionSql.setContextTokens, yield* contextTokensOf(session), sessionId)
}
