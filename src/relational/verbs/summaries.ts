import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Summary } from '../../model/sessions.ts'
import type { CommitSummaryInput } from '../../store/summaries.ts'
import { findSession } from '../reads/sessions.ts'
import type { SessionRow } from '../rows/rows.ts'
import { shownAfter } from '../rows/shown.ts'
import { summarySql } from '../statements/summaries.ts'
import { first, insert, type Steps, write } from '../steps.ts'
import { recountContext } from './transcript.ts'
import type { Work } from './work.ts'

export function* commitSummary(work: Work, input: CommitSummaryInput): Steps<Summary> {
  const session = yield* findSession(input.key)
  const newest = (yield* first<Summary>(summarySql.newest, session.id, session.transcript)) ?? null
  if (newest !== null && isRepeat(newest, input)) return newest
  const standsStill = session.transcript === input.transcript && (newest?.id ?? null) === input.baseId
  if (!standsStill) throw new HoldfastError('SUMMARY_STALE', { baseId: input.baseId, newestId: newest?.id ?? null })
  work.requireRoom()
  const replacedTokens = yield* tokensReplaced(session, newest, input)
  const id = yield* insert(
    summarySql.add,
    ...[session.id, session.transcript, input.baseId, input.uptoSeq, input.kind, input.text, input.tokens],
    ...[replacedTokens, input.atMs],
  )
  yield* recountContext(session.id)
  return (yield* first<Summary>(summarySql.byId, session.id, id)) as Summary
}

function isRepeat(newest: Summary, input: CommitSummaryInput): boolean {
  const { transcript, baseId, uptoSeq, text, atMs } = newest
  const same = transcript === input.transcript && baseId === input.baseId && uptoSeq === input.uptoSeq
  return same && text === input.text && atMs === input.atMs
}

/** @throws HoldfastError SUMMARY_REFUSED */
function* tokensReplaced(session: SessionRow, base: Summary | null, input: CommitSummaryInput): Steps<number> {
  const baseUpto = base?.uptoSeq ?? 0
  const covered = yield* shownAfter(session.transcriptId, baseUpto, input.uptoSeq)
  const replacedTokens = (base?.tokens ?? 0) + covered.tokens
  const refuse = (because: string) =>
    new HoldfastError('SUMMARY_REFUSED', { because, tokens: input.tokens, replacedTokens })
  if (input.uptoSeq <= baseUpto) throw refuse('it covers nothing new')
  if (input.uptoSeq > session.head) throw refuse('it covers entries that do not exist')
  if (input.text.trim() === '') throw refuse('it is empty')
  if (input.tokens >= replacedTokens) throw refuse('it is not shorter')
  return replacedTokens
}

export function* undoSummary(_work: Work, input: { key: SessionKey; summaryId: number; atMs: number }): Steps<Summary> {
  const session = yield* findSession(input.key)
  const summary = yield* first<Summary>(summarySql.byId, session.id, input.summaryId)
  if (summary === undefined) throw new HoldfastError('SUMMARY_NOT_FOUND', { summaryId: input.summaryId })
  if (summary.undoneAtMs === input.atMs) return summary
  const newest = yield* first<Summary>(summarySql.newest, session.id, session.transcript)
  if (newest?.id !== summary.id) {
    throw new HoldfastError('SUMMARY_STALE', { summaryId: summary.id, newestId: newest?.id ?? null })
  }
  yield* write(summarySql.undo, input.atMs, summary.id)
  yield* recountContext(session.id)
  return (yield* first<Summary>(summarySql.byId, session.id, summary.id)) as Summary
}
