import { createHash } from 'node:crypto'
import { timedId } from '../../host/random.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { agentOf, kindOf, type SessionKey } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import type { ResetResult } from '../../store/sessions.ts'
import { type SessionRow, sessionOf } from '../file/rows.ts'
import { leaseSql } from '../statements/leases.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { endRunning, type LeaseRow } from './ending.ts'
import { refreshReady } from './queue.ts'
import { addEntries } from './transcript.ts'
import type { Work } from './work.ts'

export function openSession(work: Work, input: { key: SessionKey; atMs: number }): Session {
  return sessionOf(findOrAdd(work, input.key, input.atMs))
}

/** Under this a key is remembered that itself is not to remain. */
export const keyHashOf = (key: SessionKey) => createHash('sha256').update(key).digest()

/** A new session goes on from the fence and the transcripts of one with the same key that was taken out. */
export function findOrAdd(work: Work, key: SessionKey, atMs: number): SessionRow {
  const found = work.db.first<SessionRow>(sessionSql.byKey, key)
  if (found !== undefined) return found
  work.requireRoom()
  const id = work.db.insert(sessionSql.add, key, agentOf(key), kindOf(key), atMs, keyHashOf(key))
  const { transcript } = work.db.first<SessionRow>(sessionSql.byId, id) as SessionRow
  work.db.run(sessionSql.addTranscript, id, transcript, atMs, null)
  return work.db.first<SessionRow>(sessionSql.byId, id) as SessionRow
}

/** @throws HoldfastError SESSION_NOT_FOUND */
export function findSession(work: Work, key: SessionKey): SessionRow {
  const found = work.db.first<SessionRow>(sessionSql.byKey, key)
  if (found === undefined) throw new HoldfastError('SESSION_NOT_FOUND', { key })
  return found
}

function readBack(work: Work, id: number): Session {
  return sessionOf(work.db.first<SessionRow>(sessionSql.byId, id) as SessionRow)
}

export function patchSession(
  work: Work,
  input: { key: SessionKey; title?: string | null; pinned?: boolean; atMs: number },
): Session {
  const { id } = findSession(work, input.key)
  const pinned = input.pinned === undefined ? null : Number(input.pinned)
  work.db.run(sessionSql.patch, id, Number(input.title !== undefined), input.title ?? null, pinned)
  return readBack(work, id)
}

export function archiveSession(work: Work, input: { key: SessionKey; atMs: number }): Session {
  const { id, running, queuedTurns, state } = findSession(work, input.key)
  if (state === 'archived') return readBack(work, id)
  const busy = running === 1 || queuedTurns > 0 || work.db.first(turnSql.hasInterrupted, id) !== undefined
  if (busy) throw new HoldfastError('SESSION_BUSY', { key: input.key, queuedTurns })
  work.db.run(sessionSql.archive, input.atMs, id)
  return readBack(work, id)
}

export function resetSession(work: Work, input: { key: SessionKey; reason: string; atMs: number }): ResetResult {
  const found = findSession(work, input.key)
  const repeated = repeatOf(work, found, input)
  if (repeated !== null) return repeated
  const lease = work.db.first<LeaseRow>(leaseSql.ofSession, input.key) as LeaseRow
  if (lease.turn !== null) {
    const outcome = recordOf(new HoldfastError('TURN_CANCELLED', { by: 'reset' }))
    endRunning(work, lease, { status: 'cancelled', outcome, reason: input.reason, atMs: input.atMs })
    work.db.run(sessionSql.fenceOff, found.id)
  }
  refreshReady(work, found.id, false, input.atMs) // what ended before the reset is still written before it
  const session = findSession(work, input.key)
  work.db.run(sessionSql.endTranscript, session.head, input.atMs, session.transcriptId)
  const number = session.transcript + 1
  const transcriptId = work.db.insert(sessionSql.addTranscript, session.id, number, input.atMs, input.reason)
  work.db.run(sessionSql.reset, session.id, number, transcriptId, input.atMs)
  const body = JSON.stringify({
    code: 'SESSION_RESET',
    text: `The session was reset: ${input.reason}`,
    transcript: number,
  })
  const event = { id: timedId(input.atMs), kind: 'event' as const, body, tokens: 0 }
  addEntries(work.db, work.db.first<SessionRow>(sessionSql.byId, session.id) as SessionRow, nobody, [event], input.atMs)
  return {
    session: readBack(work, session.id),
    previousTranscript: session.transcript,
    cancelledTurnId: lease.turnId,
  }
}

const nobody = { turn: null, attempt: 0 }

/** The same reset again, with nothing written since, is the first one: its outcome may have been unknown. */
function repeatOf(work: Work, session: SessionRow, input: { reason: string; atMs: number }): ResetResult | null {
  const current = work.db.first<{ startedMs: number; resetReason: string | null }>(
    sessionSql.transcript,
    session.id,
    session.transcript,
  )
  const same = current?.startedMs === input.atMs && current.resetReason === input.reason
  if (!same || session.head !== 1 || session.transcript === 1) return null
  const cancelled = work.db.first<{ id: string }>(turnSql.cancelledByReset, session.id, input.atMs)
  return {
    session: sessionOf(session),
    previousTranscript: session.transcript - 1,
    cancelledTurnId: cancelled?.id ?? null,
  }
}
