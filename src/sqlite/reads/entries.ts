import { HoldfastError } from '../../model/errors.ts'
import type { Summary } from '../../model/sessions.ts'
import type { ContextQuery, ContextSource, EntryPage, EntryQuery } from '../../store/entries.ts'
import type { Connection } from '../file/connection.ts'
import { type EntryRow, entryOf, type SessionRow, type StoredEntry, type TurnRow } from '../file/rows.ts'
import { difference, type HiddenRange, hiddenAfter, shownAfter } from '../file/shown.ts'
import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'
import { summarySql } from '../statements/summaries.ts'
import { turnSql } from '../statements/turns.ts'
import { findSession, pageMax } from './sessions.ts'

/** Of one page's bodies; the first entry is given whatever its size. */
const pageBytesMax = 16 * 1024 ** 2

export type StoredEntryPage = Omit<EntryPage, 'entries'> & { entries: StoredEntry[] }
export type StoredContext = Omit<ContextSource, 'entries'> & { entries: StoredEntry[] }

export function readEntries(db: Connection, query: EntryQuery): StoredEntryPage {
  const session = findSession(db, query.key)
  const number = query.transcript ?? session.transcript
  const transcript = db.first<{ id: number }>(sessionSql.transcript, session.id, number)
  if (transcript === undefined) throw new HoldfastError('SESSION_NOT_FOUND', { key: query.key, transcript: number })
  const oldest = query.order === 'oldest'
  const sql = oldest ? entrySql.oldestAfter : entrySql.newestBefore
  const after = query.after ?? (oldest ? 0 : Number.MAX_SAFE_INTEGER)
  const kinds = query.kinds === undefined ? null : JSON.stringify(query.kinds)
  const limit = Math.min(query.limit, pageMax)
  const entries: StoredEntry[] = []
  let bytes = 0
  for (const row of db.each<EntryRow>(sql, transcript.id, after, kinds, limit + 1, Number(query.shownOnly ?? false))) {
    bytes += row.bytes
    const fits = entries.length === 0 || bytes <= pageBytesMax
    if (entries.length >= limit || !fits) return { transcript: number, entries, next: entries.at(-1)?.seq ?? after }
    entries.push(entryOf(row))
  }
  return { transcript: number, entries, next: null }
}

/** Walks back from the head and stops where the budget ends; what stays behind is counted by difference, not by reading. */
export function readContext(db: Connection, query: ContextQuery): StoredContext {
  const session = findSession(db, query.key)
  const summary = db.first<Summary>(summarySql.newest, session.id, session.transcript) ?? null
  const uptoSeq = summary?.uptoSeq ?? 0
  const hidden = hiddenAfter(db, session.transcriptId, uptoSeq)
  const leftOut = exceptedRanges(db, session, query.exceptTurnId).reduce(withRange, hidden)
  const { entries, olderUpTo } = walkBack(db, session, uptoSeq, leftOut, query)
  const older = shownAfter(db, session.transcriptId, uptoSeq, olderUpTo, leftOut)
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

function walkBack(
  db: Connection,
  session: SessionRow,
  afterSeq: number,
  leftOut: readonly HiddenRange[],
  { tokensMax, bytesMax }: ContextQuery,
): { entries: StoredEntry[]; olderUpTo: number } {
  const entries: StoredEntry[] = []
  let tokens = 0
  let bytes = 0
  let at = leftOut.length - 1
  for (const row of db.each<EntryRow>(entrySql.backFromHead, session.transcriptId, afterSeq)) {
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
function exceptedRanges(db: Connection, session: SessionRow, turnId: string | undefined): HiddenRange[] {
  const turn = turnId === undefined ? undefined : db.first<TurnRow>(turnSql.byId, turnId)
  if (turn === undefined || turn.session !== session.id || turn.transcript !== session.transcript) return []
  const ranges = [
    { fromSeq: turn.askedFrom, toSeq: turn.askedTo },
    { fromSeq: turn.attemptFrom, toSeq: turn.attemptTo ?? session.head },
  ]
  return ranges.flatMap(({ fromSeq, toSeq }) => {
    if (fromSeq === null || toSeq === null || toSeq < fromSeq) return []
    return [{ fromSeq, toSeq, ...difference(db, session.transcriptId, fromSeq - 1, toSeq) }]
  })
}

function withRange(ranges: readonly HiddenRange[], added: HiddenRange): HiddenRange[] {
  if (ranges.some(({ fromSeq }) => fromSeq === added.fromSeq)) return [...ranges]
  return [...ranges, added].sort((a, b) => a.fromSeq - b.fromSeq)
}
