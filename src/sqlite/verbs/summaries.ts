import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Summary } from '../../model/sessions.ts'
import type { CommitSummaryInput } from '../../store/summaries.ts'
import type { SessionRow } from '../file/rows.ts'
import { shownAfter } from '../file/shown.ts'
import { summarySql } from '../statements/summaries.ts'
import { findSession } from './sessions.ts'
import { recountContext } from './transcript.ts'
import type { Work } from './work.ts'

export function commitSummary(work: Work, input: CommitSummaryInput): Summary {
  const session = findSession(work, input.key)
  const newest = work.db.first<Summary>(summarySql.newest, session.id, session.transcript) ?? null
  if (newest !== null && isRepeat(newest, input)) return newest
  const standsStill = session.transcript === input.transcript && (newest?.id ?? null) === input.baseId
  if (!standsStill) throw new HoldfastError('SUMMARY_STALE', { baseId: input.baseId, newestId: newest?.id ?? null })
  work.requireRoom()
  const replacedTokens = tokensReplaced(work, session, newest, input)
  const id = work.db.insert(
    summarySql.add,
    ...[session.id, session.transcript, input.baseId, input.uptoSeq, input.kind, input.text, input.tokens],
    ...[replacedTokens, input.atMs],
  )
  recountContext(work.db, session.id)
  return work.db.first<Summary>(summarySql.byId, session.id, id) as Summary
}

function isRepeat(newest: Summary, input: CommitSummaryInput): boolean {
  const { transcript, baseId, uptoSeq, text, atMs } = newest
  const same = transcript === input.transcript && baseId === input.baseId && uptoSeq === input.uptoSeq
  return same && text === input.text && atMs === input.atMs
}

/** @throws HoldfastError SUMMARY_REFUSED */
function tokensReplaced(work: Work, session: SessionRow, base: Summary | null, input: CommitSummaryInput): number {
  const baseUpto = base?.uptoSeq ?? 0
  const covered = shownAfter(work.db, session.transcriptId, baseUpto, input.uptoSeq)
  const replacedTokens = (base?.tokens ?? 0) + covered.tokens
  const refuse = (because: string) =>
    new HoldfastError('SUMMARY_REFUSED', { because, tokens: input.tokens, replacedTokens })
  if (input.uptoSeq <= baseUpto) throw refuse('it covers nothing new')
  if (input.uptoSeq > session.head) throw refuse('it covers entries that do not exist')
  if (input.text.trim() === '') throw refuse('it is empty')
  if (input.tokens >= replacedTokens) throw refuse('it is not shorter')
  return replacedTokens
}

export function undoSummary(work: Work, input: { key: SessionKey; summaryId: number; atMs: number }): Summary {
  const session = findSession(work, input.key)
  const summary = work.db.first<Summary>(summarySql.byId, session.id, input.summaryId)
  if (summary === undefined) throw new HoldfastError('SUMMARY_NOT_FOUND', { summaryId: input.summaryId })
  if (summary.undoneAtMs === input.atMs) return summary
  const newest = work.db.first<Summary>(summarySql.newest, session.id, session.transcript)
  if (newest?.id !== summary.id) {
    throw new HoldfastError('SUMMARY_STALE', { summaryId: summary.id, newestId: newest?.id ?? null })
  }
  work.db.run(summarySql.undo, input.atMs, summary.id)
  recountContext(work.db, session.id)
  return work.db.first<Summary>(summarySql.byId, session.id, summary.id) as Summary
}
