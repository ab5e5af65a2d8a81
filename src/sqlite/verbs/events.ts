import { timedId } from '../../host/random.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { type EntryRow, entryOf, type SessionRow, type StoredEntry } from '../file/rows.ts'
import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'
import { findSession } from './sessions.ts'
import { addEntries } from './transcript.ts'
import type { Work } from './work.ts'

export function addEvent(
  work: Work,
  input: { key: SessionKey; code: string; text: string; atMs: number },
): StoredEntry {
  const session = findSession(work, input.key)
  if (session.running === 1) throw new HoldfastError('SESSION_BUSY', { key: input.key })
  const body = JSON.stringify({ code: input.code, text: input.text })
  const last = work.again ? headOf(work, session) : undefined
  if (last?.kind === 'event' && last.body === body && last.atMs === input.atMs) return last
  work.requireRoom()
  const event = { id: timedId(input.atMs), kind: 'event' as const, body, tokens: 0 }
  addEntries(work.db, session, { turn: null, attempt: 0 }, [event], input.atMs)
  const after = work.db.first<SessionRow>(sessionSql.byId, session.id) as SessionRow
  return headOf(work, after) as StoredEntry
}

function headOf({ db }: Work, { transcriptId, head }: SessionRow): StoredEntry | undefined {
  const row = db.first<EntryRow>(entrySql.between, transcriptId, head, head)
  return row === undefined ? undefined : entryOf(row)
}
