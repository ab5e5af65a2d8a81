import { timedId } from '../../host/random.ts'
import type { ErrorRecord } from '../../model/errors.ts'
import { inboundOf } from '../rows/inbound.ts'
import type { SessionRow, TurnRow } from '../rows/rows.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { all, first, type Steps, together, write } from '../steps.ts'
import { addAsked } from './asked.ts'
import { addEntries, hideRange, recountContext, unlessDamaged } from './transcript.ts'
import type { Work } from './work.ts'

/**
 * Turns that ended while they waited come into the transcript: their messages, and why there is no answer. Not while
 * another turn writes there, and not before those that were admitted earlier and still wait, from `beforePlace` on. Where
 * that cannot be written nothing else waits for it: it is tried again with the next change of the queue.
 */
export function* writeEnded(work: Work, sessionId: number, beforePlace: number, atMs: number): Steps<void> {
  const ended = yield* all<TurnRow>(turnSql.unwritten, sessionId, beforePlace)
  for (const turn of ended) yield* unlessDamaged(work, () => writeOne(sessionId, turn, atMs))
  if (ended.length > 0) yield* recountContext(sessionId)
}

function* writeOne(sessionId: number, turn: TurnRow, atMs: number): Steps<void> {
  const { position, attempts } = turn
  const [found, inbound] = yield* together(first<SessionRow>(sessionSql.byId, sessionId), inboundOf(position))
  const session = found as SessionRow
  const { from, to, stood } = yield* addAsked(session, turn, attempts, inbound, atMs)
  const { code, message: text } = JSON.parse(turn.outcome as string) as ErrorRecord
  const event = { id: timedId(atMs), kind: 'event' as const, body: JSON.stringify({ code, text }), tokens: 0 }
  const after = (yield* first<SessionRow>(sessionSql.byId, sessionId)) as SessionRow
  yield* addEntries(after, { turn: position, attempt: attempts }, [event], atMs)
  yield* hideRange(session.transcriptId, from, to)
  const [attemptFrom, attemptTo] = stood ? [turn.attemptFrom, turn.attemptTo] : [null, null]
  if (attemptFrom !== null && attemptTo !== null) yield* hideRange(session.transcriptId, attemptFrom, attemptTo)
  yield* write(turnSql.written, position, session.transcript, from, to, attemptFrom, attemptTo)
}
