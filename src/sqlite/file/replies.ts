import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'
import type { Connection } from './connection.ts'
import { type EntryRow, entryOf, type StoredEntry, type TurnRow } from './rows.ts'

export interface StoredReply {
  reply: StoredEntry[]
}

/** The entries of a turn's reply; none before it is done. */
export function replyOf(
  db: Connection,
  turn: Pick<TurnRow, 'session' | 'transcript' | 'replyFromSeq' | 'replyToSeq'>,
): StoredEntry[] {
  if (turn.replyFromSeq === null || turn.replyToSeq === null) return []
  const transcript = db.first<{ id: number }>(sessionSql.transcript, turn.session, turn.transcript)
  if (transcript === undefined) return []
  return db.all<EntryRow>(entrySql.between, transcript.id, turn.replyFromSeq, turn.replyToSeq).map(entryOf)
}
