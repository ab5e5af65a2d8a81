import { createHash } from 'node:crypto'
import type { SessionRow } from '../rows/rows.ts'
import { leaveSql } from '../statements/archives.ts'
import { first, type Steps } from '../steps.ts'

/** Differs when anything that an export of this transcript holds may have changed. */
export function* stampOf(session: SessionRow, number: number): Steps<string> {
  const { id, fence, transcript, head, turnsTotal, pinned, state, activeAtMs, archivedAtMs } = session
  const summaries = yield* first<{ newest: number; undone: number }>(leaveSql.summaries, id, number)
  const facts = [
    ...[id, fence, transcript, head, turnsTotal, pinned, state, activeAtMs, archivedAtMs, session.title],
    ...[session.contextTokens, summaries?.newest, summaries?.undone],
  ]
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22)
}
