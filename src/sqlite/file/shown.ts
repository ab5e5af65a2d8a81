import { entrySql } from '../statements/entries.ts'
import { summarySql } from '../statements/summaries.ts'
import type { Connection } from './connection.ts'
import type { SessionRow } from './rows.ts'

/** How many entries the model is shown in a range, and their tokens. */
export interface Shown {
  count: number
  tokens: number
}

export interface HiddenRange extends Shown {
  fromSeq: number
  toSeq: number
}

export function hiddenAfter(db: Connection, transcriptId: number, afterSeq: number): HiddenRange[] {
  return db.all<HiddenRange>(entrySql.hiddenAfter, transcriptId, afterSeq)
}

/** What is shown of the entries after `afterSeq` up to and with `upToSeq`: two look-ups and the hidden ranges between. */
export function shownAfter(
  db: Connection,
  transcriptId: number,
  afterSeq: number,
  upToSeq: number,
  hidden: readonly HiddenRange[] = hiddenAfter(db, transcriptId, afterSeq),
): Shown {
  if (upToSeq <= afterSeq) return { count: 0, tokens: 0 }
  const shown = difference(db, transcriptId, afterSeq, upToSeq)
  for (const range of hidden) {
    const from = Math.max(range.fromSeq - 1, afterSeq)
    const to = Math.min(range.toSeq, upToSeq)
    if (to <= from) continue
    const whole = from === range.fromSeq - 1 && to === range.toSeq
    const part = whole ? range : difference(db, transcriptId, from, to)
    shown.count -= part.count
    shown.tokens -= part.tokens
  }
  return shown
}

/** What the newest summary and the entries after it come to. */
export function contextTokensOf(
  db: Connection,
  session: Pick<SessionRow, 'id' | 'transcript' | 'transcriptId' | 'head'>,
): number {
  const summary = db.first<{ uptoSeq: number; tokens: number }>(summarySql.newest, session.id, session.transcript)
  return (summary?.tokens ?? 0) + shownAfter(db, session.transcriptId, summary?.uptoSeq ?? 0, session.head).tokens
}

/** Shown kinds after one seq up to another, hidden ranges not taken off. */
export function difference(db: Connection, transcriptId: number, afterSeq: number, upToSeq: number): Shown {
  const start = upTo(db, transcriptId, afterSeq)
  const end = upTo(db, transcriptId, upToSeq)
  return { count: end.count - start.count, tokens: end.tokens - start.tokens }
}

function upTo(db: Connection, transcriptId: number, seq: number): Shown {
  if (seq <= 0) return { count: 0, tokens: 0 }
  return db.first<Shown>(entrySql.shownUpTo, transcriptId, seq) ?? { count: 0, tokens: 0 }
}
