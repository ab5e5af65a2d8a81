import { HoldfastError } from '../../model/errors.ts'
import type { Summary } from '../../model/sessions.ts'
import type { ContextQuery, ContextSource, EntryPage, EntryQuery } from '../../store/entries.ts'
import { type EntryRow, entryOf, type SessionRow, type StoredEntry, type TurnRow } from '../rows/rows.ts'
import { difference, type HiddenRange, hiddenAfter, shownAfter } from '../rows/shown.ts'
import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'
import { summarySql } from '../statements/summaries.ts'
import { turnSql } from '../statements/turns.ts'
import { all, first, Rows, type Steps, together } from '../steps.ts'
import { findSession, pageMax } from './sessions.ts'

/** Of one page's bodies; the first entry is given whatever its size. */
const pageBytesMax = 16 * 1024 ** 2

/** Rows that are read at once, with their bodies. */
const rowsAtOnce = 100

export type StoredEntryPage = Omit<EntryPage, 'entries'> & { entries: StoredEntry[] }
export type StoredContext = Omit<ContextSource, 'entries'> & { entries: StoredEntry[] }

export function* readEntries(query: EntryQuery): Steps<StoredEntryPage> {
  const session = yield* findSession(query.key)
  const number = query.transcript ?? session.transcript
  const transcript = yield* first<{ id: number }>(sessionSql.transcript, session.id, number)
  if (transcript === undefined) throw new HoldfastError('SESSION_NOT_FOUND', { key: query.key, transcript: number })
  const oldest = query.order === 'oldest'
  const sql = oldest ? entrySql.oldestAfter : entrySql.newestBefore
  const after = query.after ?? (oldest ? 0 : Number.MAX_SAFE_INTEGER)
  const kinds = query.kinds === undefined ? null : JSON.stringify(query.kinds)
  const limit = Math.min(query.limit, pageMax)
  const entries: StoredEntry[] = []
  let bytes = 0
  const shownOnly = Number(query.shownOnly ?? false)
  const keyOf = ({ seq }: EntryRow) => seq
  const rows = new Rows<EntryRow>(after, Math.min(limit + 1, rowsAtOnce), keyOf, (from, count) =>
    all<EntryRow>(sql, transcript.id, from, kinds, count, shownOnly),
  )
  for (let row = yield* rows.next(); row !== undefined; row = yield* rows.next()) {
    bytes += row.bytes
    const fits = entries.length === 0 || bytes <= pageBytesMax
    if (entries.length >= limit || !fits) return { transcript: number, entries, next: entries.at(-1)?.seq ?? after }
    entries.push(entryOf(row))
  }
  return { transcript: number, entries, next: null }
}

/** Walks back from the head and stops where the budget ends; what stays behind is counted by difference, not by reading. */
export function* readContext(query: ContextQuery): Steps<StoredContext> {
  const session = yield* findSession(query.key)
  const [newest, excepted] = yield* together(
    first<Summary>(summarySql.newest, session.id, session.transcript),
    exceptedRanges(session, query.exceptTurnId),
  )
  const summary = newest ?? null
  const uptoSeq = summary?.uptoSeq ?? 0
  const hidden = yield* hiddenAfter(session.transcriptId, uptoSeq)
  const leftOut = excepted.reduce(withRange, hidden)
  const { entries, olderUpTo } = yield* walkBack(session, uptoSeq, leftOut, query)
  const older = yield* shownAfter(session.transcriptId, uptoSeq, olderUpTo, leftOut)
  return {
    transcript: session.transcript,
    head: session.head,
    summary,
    entries,
    olderCount: older.count,
    olderTokens: older.tokens,
    meterRatio: session.meterRatio,
  }
}

function* walkBack(
  session: SessionRow,
  afterSeq: number,
  leftOut: readonly HiddenRange[],
  { tokensMax, bytesMax }: ContextQuery,
): Steps<{ entries: StoredEntry[]; olderUpTo: number }> {
  const entries: StoredEntry[] = []
  let tokens = 0
  let bytes = 0
  let at = leftOut.length - 1
  const keyOf = ({ seq }: EntryRow) => seq
  const rows = new Rows<EntryRow>(session.head + 1, rowsAtOnce, keyOf, (before, limit) =>
    all<EntryRow>(entrySql.backFromHead, session.transcriptId, afterSeq, before, limit),
  )
  for (let row = yield* rows.next(); row !== undefined; row = yield* rows.next()) {
    while (at >= 0 && (leftOut[at] as HiddenRange).fromSeq > row.seq) at -= 1
    if (at >= 0 && row.seq <= (leftOut[at] as HiddenRange).toSeq) continue
    tokens += row.tokens
    bytes += row.bytes
    const fits = tokens <= tokensMax && bytes <= bytesMax
    if (entries.length > 0 && !fits) return { entries: entries.reverse(), olderUpTo: row.seq }
    entries.push(entryOf(row))
  }
  return { entries: entries.reverse(), olderUpTo: afterSeq }
}

/**
 * A turn's own messages, and what its last attempt wrote: each stands together, since only the holder of the lease adds to a
 * transcript.
 */
function* exceptedRanges(session: SessionRow, turnId: string | undefined): Steps<HiddenRange[]> {
  const turn = turnId === undefined ? undefined : yield* first<TurnRow>(turnSql.byId, turnId)
  if (turn === undefined || turn.session !== session.id || turn.transcript !== session.transcript) return []
  const ranges = [
    { fromSeq: turn.askedFrom, toSeq: turn.askedTo },
    { fromSeq: turn.attemptFrom, toSeq: turn.attemptTo ?? session.head },
  ]
  const excepted: HiddenRange[] = []
  for (const { fromSeq, toSeq } of ranges) {
    if (fromSeq === null || toSeq === null || toSeq < fromSeq) continue
    excepted.push({ fromSeq, toSeq, ...(yield* difference(session.transcriptId, fromSeq - 1, toSeq)) })
  }
  return excepted
}

function withRange(ranges: readonly HiddenRange[], added: HiddenRange): HiddenRange[] {
  if (ranges.some(({ fromSeq }) => fromSeq === added.fromSeq)) return [...ranges]
  return [...ranges, added].sort((a, b) => a.fromSeq - b.fromSeq)
}
