import type { SessionKey } from '../../model/keys.ts'
import { findSession } from '../reads/sessions.ts'
import type { SessionRow } from '../rows/rows.ts'
import type { Shown } from '../rows/shown.ts'
import { entrySql } from '../statements/entries.ts'
import { leaseSql } from '../statements/leases.ts'
import { repairSql } from '../statements/recovery.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { all, first, type Steps, write } from '../steps.ts'
import { refreshReady } from './queue.ts'
import { recountContext } from './transcript.ts'
import type { Work } from './work.ts'

/** Entries counted anew in one step. */
const entriesMax = 500

export function* repairSession(
  work: Work,
  { key, afterSeq, atMs }: { key: SessionKey; afterSeq: number; atMs: number },
): Steps<{ next: number | null }> {
  const session = yield* findSession(key)
  const next = yield* recountEntries(session.transcriptId, afterSeq)
  if (next === null) yield* repairRow(work, session, atMs)
  return { next }
}

interface CountRow {
  n: number
  seq: number
  kind: string
  tokens: number
  shownCount: number
  shownTokens: number
}

/** Gives where to go on; null at the end. */
function* recountEntries(transcriptId: number, afterSeq: number): Steps<number | null> {
  const before = yield* first<Shown>(entrySql.shownUpTo, transcriptId, afterSeq)
  let { count, tokens } = before ?? { count: 0, tokens: 0 }
  const rows = yield* all<CountRow>(repairSql.counts, transcriptId, afterSeq, entriesMax)
  for (const row of rows) {
    if (row.kind !== 'event') {
      count += 1
      tokens += row.tokens
    }
    if (row.shownCount !== count || row.shownTokens !== tokens) yield* write(repairSql.setCounts, row.n, count, tokens)
  }
  return rows.length === entriesMax ? (rows.at(-1)?.seq ?? null) : null
}

/** Whoever held a lease that does not fit is fenced off, and its turn runs again. */
function* repairRow(work: Work, { id, head, transcriptId }: SessionRow, atMs: number): Steps<void> {
  const stray = yield* first<{ turn: number }>(repairSql.strayLease, id)
  if (stray !== undefined) {
    yield* write(leaseSql.end, id)
    yield* write(sessionSql.fenceOff, id)
  }
  for (const { position, progressMs } of yield* all<{ position: number; progressMs: number }>(
    repairSql.strayTurns,
    id,
  )) {
    yield* write(turnSql.interrupt, position, atMs, head, progressMs, 0)
  }
  yield* write(repairSql.hidden, transcriptId)
  yield* write(repairSql.session, id)
  const leased = ((yield* first<SessionRow>(sessionSql.byId, id)) as SessionRow).running === 1
  yield* refreshReady(work, id, leased, atMs)
  yield* recountContext(id)
}
