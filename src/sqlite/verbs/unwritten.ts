import { timedId } from '../../host/random.ts'
import type { ErrorRecord } from '../../model/errors.ts'
import type { SessionRow, TurnRow } from '../file/rows.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { addAsked } from './asked.ts'
import { addEntries, hideRange, recountContext, unlessDamaged } from './transcript.ts'
import type { Work } from './work.ts'

/**
 * Turns that ended while they waited come into the transcript: their messages, and why there is no answer. Not while
 * another turn writes there, and not before those that were admitted earlier and still wait, from `beforePlace` on. Where
 * that cannot be written nothing else waits for it: it is tried again with the next change of the queue.
 */
export function writeEnded(work: Work, sessionId: number, beforePlace: number, atMs: number): void {
  const ended = work.db.all<TurnRow>(turnSql.unwritten, sessionId, beforePlace)
  for (const turn of ended) unlessDamaged(work.db, () => writeOne(work, sessionId, turn, atMs))
  if (ended.length > 0) recountContext(work.db, sessionId)
}

function writeOne({ db }: Work, sessionId: number, turn: TurnRow, atMs: number): void {
  const { position, attempts } = turn
  const session = db.first<SessionRow>(sessionSql.byId, sessionId) as SessionRow
  const { from, to, stood } = addAsked(db, session, turn, attempts, atMs)
  const { code, message: text } = JSON.parse(turn.outcome as string) as ErrorRecord
  const event = { id: timedId(atMs), kind: 'event' as const, body: JSON.stringify({ code, text }), tokens: 0 }
  const after = db.first<SessionRow>(sessionSql.byId, sessionId) as SessionRow
  addEntries(db, after, { turn: position, attempt: attempts }, [event], atMs)
  hideRange(db, session.transcriptId, from, to)
  const [attemptFrom, attemptTo] = stood ? [turn.attemptFrom, turn.attemptTo] : [null, null]
  if (attemptFrom !== null && attemptTo !== null) hideRange(db, session.transcriptId, attemptFrom, attemptTo)
  db.run(turnSql.written, position, session.transcript, from, to, attemptFrom, attemptTo)
}
