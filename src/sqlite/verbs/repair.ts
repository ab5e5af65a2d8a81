import type { SessionKey } from '../../model/keys.ts'
import type { SessionRow } from '../file/rows.ts'
import type { Shown } from '../file/shown.ts'
import { findSession } from '../reads/sessions.ts'
import { entrySql } from '../statements/entries.ts'
import { leaseSql } from '../statements/leases.ts'
import { repairSql } from '../statements/recovery.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { refreshReady } from './queue.ts'
import { recountContext } from './transcript.ts'
import type { Work } from './work.ts'

/** Entries counted anew in one step. */
const entriesMax = 500

export function repairSession(
  work: Work,
  { key, afterSeq, atMs }: { key: SessionKey; afterSeq: number; atMs: number },
): { next: number | null } {
  const session = findSession(work.db, key)
  const next = recountEntries(work, session.transcriptId, afterSeq)
  if (next === null) repairRow(work, session, atMs)
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
function recountEntries({ db }: Work, transcriptId: number, afterSeq: number): number | null {
  const before = db.first<Shown>(entrySql.shownUpTo, transcriptId, afterSeq)
  let { count, tokens } = before ?? { count: 0, tokens: 0 }
  const rows = db.all<CountRow>(repairSql.counts, transcriptId, afterSeq, entriesMax)
  for (const row of rows) {
    if (row.kind !== 'event') {
      count += 1
      tokens += row.tokens
    }
    if (row.shownCount !== count || row.shownTokens !== tokens) db.run(repairSql.setCounts, row.n, count, tokens)
  }
  return rows.length === entriesMax ? (rows.at(-1)?.seq ?? null) : null
}

/** Whoever held a lease that does not fit is fenced off, and its turn runs again. */
function repairRow(work: Work, { id, head, transcriptId }: SessionRow, atMs: number): void {
  const { db } = work
  const stray = db.first<{ turn: number }>(repairSql.strayLease, id)
  if (stray !== undefined) {
    db.run(leaseSql.end, id)
    db.run(sessionSql.fenceOff, id)
  }
  for (const { position, progressMs } of db.all<{ position: number; progressMs: number }>(repairSql.strayTurns, id)) {
    db.run(turnSql.interrupt, position, atMs, head, progressMs, 0)
  }
  db.run(repairSql.hidden, transcriptId)
  db.run(repairSql.session, id)
  const leased = (db.first<SessionRow>(sessionSql.byId, id) as SessionRow).running === 1
  refreshReady(work, id, leased, atMs)
  recountContext(db, id)
}
