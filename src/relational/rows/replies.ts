import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'
import { all, first, type Steps } from '../steps.ts'
import { type EntryRow, entryOf, type StoredEntry, type TurnRow } from './rows.ts'

export interface StoredReply {
  reply: StoredEntry[]
}

/** The entries of a turn's reply; none before it is done. */
export function* replyOf(
  turn: Pick<TurnRow, 'session' | 'transcript' | 'replyFromSeq' | 'replyToSeq'>,
): Steps<StoredEntry[]> {
  if (turn.replyFromSeq === null || turn.replyToSeq === null) return []
  const transcript = yield* first<{ id: number }>(sessionSql.transcript, turn.session, turn.transcript)
  if (transcript === undefined) return []
  return (yield* all<EntryRow>(entrySql.between, transcript.id, turn.replyFromSeq, turn.replyToSeq)).map(entryOf)
}
