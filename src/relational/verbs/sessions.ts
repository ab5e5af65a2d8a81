import { createHash } from 'node:crypto'
import { timedId } from '../../host/random.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { agentOf, kindOf, type SessionKey } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import type { ResetResult } from '../../store/sessions.ts'
import { findSession } from '../reads/sessions.ts'
import { type SessionRow, sessionOf } from '../rows/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { first, insert, type Steps, write } from '../steps.ts'
import { endRunning, type LeaseRow } from './ending.ts'
import { refreshReady } from './queue.ts'
import { addEntries } from './transcript.ts'
import type { Work } from './work.ts'

export function* openSession(work: Work, input: { key: SessionKey; atMs: number }): Steps<Session> {
  return sessionOf(yield* findOrAdd(work, input.key, input.atMs))
}

/** Under this a key is remembered that itself is not to remain. */
export const keyHashOf = (key: SessionKey) => createHash('sha256').update(key).digest()

/** A new session goes on from the fence and the transcripts of one with the same key that was taken out. */
export function* findOrAdd(work: Work, key: SessionKey, atMs: number): Steps<SessionRow> {
  const found = yield* first<SessionRow>(sessionSql.byKey, key)
  if (found !== undefined) return found
  work.requireRoom()
  const id = yield* insert(sessionSql.add, key, agentOf(key), kindOf(key), atMs, keyHashOf(key))
  const { transcript, transcriptId } = (yield* first<SessionRow>(sessionSql.byId, id)) as SessionRow
  yield* write(sessionSql.addTranscript, transcriptId, id, transcript, atMs, null)
  return (yield* first<SessionRow>(sessionSql.byId, id)) as SessionRow
}

function* readBack(id: number): Steps<Session> {
  return sessionOf((yield* first<SessionRow>(sessionSql.byId, id)) as SessionRow)
}

export function* patchSession(
  _work: Work,
  input: { key: SessionKey; title?: string | null; pinned?: boolean; atMs: number },
): Steps<Session> {
  const { id } = yield* findSession(input.key)
  const pinned = input.pinned === undefined ? null : Number(input.pinned)
  yield* write(sessionSql.patch, id, Number(input.title !== undefined), input.title ?? null, pinned)
  return yield* readBack(id)
}

export function* archiveSession(_work: Work, input: { key: SessionKey; atMs: number }): Steps<Session> {
  const { id, running, queuedTurns, state } = yield* findSession(input.key)
  if (state === 'archived') return yield* readBack(id)
  const busy = running === 1 || queuedTurns > 0 || (yield* first(turnSql.hasInterrupted, id)) !== undefined
  if (busy) throw new HoldfastError('SESSION_BUSY', { key: input.key, queuedTurns })
  yield* write(sessionSql.archive, input.atMs, id)
  return yield* readBack(id)
}

export function* resetSession(
  work: Work,
  input: { key: SessionKey; reason: string; atMs: number },
): Steps<ResetResult> {
  const found = yield* findSession(input.key)
  const repeated = yield* repeatOf(found, input)
  if (repeated !== null) return repeated
  const lease = (yield* first<LeaseRow>(leaseSql.ofSession, input.key)) as LeaseRow
  if (lease.turn !== null) {
    const outcome = recordOf(new HoldfastError('TURN_CANCELLED', { by: 'reset' }))
    yield* endRunning(lease, { status: 'cancelled', outcome, reason: input.reason, atMs: input.atMs })
    yield* write(sessionSql.fenceOff, found.id)
  }
  yield* refreshReady(work, found.id, false, input.atMs) // what ended before the reset is still written before it
  const session = yield* findSession(input.key)
  yield* write(sessionSql.endTranscript, session.head, input.atMs, session.transcriptId)
  const number = session.transcript + 1
  const transcriptId = yield* insert(sessionSql.addTranscript, null, session.id, number, input.atMs, input.reason)
  yield* write(sessionSql.reset, session.id, number, transcriptId, input.atMs)
  const body = JSON.stringify({
    code: 'SESSION_RESET',
    text: `The session was reset: ${input.reason}`,
    transcript: number,
  })
  const event = { id: timedId(input.atMs), kind: 'event' as const, body, tokens: 0 }
  yield* addEntries((yield* first<SessionRow>(sessionSql.byId, session.id)) as SessionRow, nobody, [event], input.atMs)
  return {
    session: yield* readBack(session.id),
    previousTranscript: session.transcript,
    cancelledTurnId: lease.turnId,
  }
}

const nobody = { turn: null, attempt: 0 }

/** The same reset again, with nothing written since, is the first one: its outcome may have been unknown. */
function* repeatOf(session: SessionRow, input: { reason: string; atMs: number }): Steps<ResetResult | null> {
  const current = yield* first<{ startedMs: number; resetReason: string | null }>(
    sessionSql.transcript,
    session.id,
    session.transcript,
  )
  const same = current?.startedMs === input.atMs && current.resetReason === input.reason
  if (!same || session.head !== 1 || session.transcript === 1) return null
  const cancelled = yield* first<{ id: string }>(turnSql.cancelledByReset, session.id, input.atMs)
  return {
    session: sessionOf(session),
    previousTranscript: session.transcript - 1,
    cancelledTurnId: cancelled?.id ?? null,
  }
}
