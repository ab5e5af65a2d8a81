import { entrySql } from '../statements/entries.ts'
import { summarySql } from '../statements/summaries.ts'
import { all, first, type Steps, together } from '../steps.ts'
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

export function* hiddenAfter(transcriptId: number, afterSeq: number): Steps<HiddenRange[]> {
  return yield* all<HiddenRange>(entrySql.hiddenAfter, transcriptId, afterSeq)
}

/** What is shown of the entries after `afterSeq` up to and with `upToSeq`: two look-ups and the hidden ranges between. */
export function* shownAfter(
  transcriptId: number,
  afterSeq: number,
  upToSeq: number,
  ranges?: readonly HiddenRange[],
): Steps<Shown> {
  if (upToSeq <= afterSeq) return { count: 0, tokens: 0 }
  const shown = yield* difference(transcriptId, afterSeq, upToSeq)
  const hidden = ranges ?? (yield* hiddenAfter(transcriptId, afterSeq))
  for (const range of hidden) {
    const from = Math.max(range.fromSeq - 1, afterSeq)
    const to = Math.min(range.toSeq, upToSeq)
    if (to <= from) continue
    const whole = from === range.fromSeq - 1 && to === range.toSeq
    const part = whole ? range : yield* difference(transcriptId, from, to)
    shown.count -= part.count
    shown.tokens -= part.tokens
  }
  return shown
}

/** What the newest summary and the entries after it come to. */
export function* contextTokensOf(
  session: Pick<SessionRow, 'id' | 'transcript' | 'transcriptId' | 'head'>,
): Steps<number> {
  const summary = yield* first<{ uptoSeq: number; tokens: number }>(summarySql.newest, session.id, session.transcript)
  return (summary?.tokens ?? 0) + (yield* shownAfter(session.transcriptId, summary?.uptoSeq ?? 0, session.head)).tokens
}

/** Shown kinds after one seq up to another, hidden ranges not taken off. */
export function* difference(transcriptId: number, afterSeq: number, upToSeq: number): Steps<Shown> {
  const [start, end] = yield* together(upTo(transcriptId, afterSeq), upTo(transcriptId, upToSeq))
  return { count: end.count - start.count, tokens: end.tokens - start.tokens }
}

function* upTo(transcriptId: number, seq: number): Steps<Shown> {
  if (seq <= 0) return { count: 0, tokens: 0 }
  return (yield* first<Shown>(entrySql.shownUpTo, transcriptId, seq)) ?? { count: 0, tokens: 0 }
}
