import { timedId } from '../../host/random.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { findSession } from '../reads/sessions.ts'
import { type EntryRow, entryOf, type SessionRow, type StoredEntry } from '../rows/rows.ts'
import { entrySql } from '../statements/entries.ts'
import { sessionSql } from '../statements/sessions.ts'
import { first, type Steps } from '../steps.ts'
import { addEntries } from './transcript.ts'
import type { Work } from './work.ts'

export function* addEvent(
  work: Work,
  input: { key: SessionKey; code: string; text: string; atMs: number },
): Steps<StoredEntry> {
  const session = yield* findSession(input.key)
  if (session.running === 1) throw new HoldfastError('SESSION_BUSY', { key: input.key })
  const body = JSON.stringify({ code: input.code, text: input.text })
  const last = work.again ? yield* headOf(session) : undefined
  if (last?.kind === 'event' && last.body === body && last.atMs === input.atMs) return last
  work.requireRoom()
  const event = { id: timedId(input.atMs), kind: 'event' as const, body, tokens: 0 }
  yield* addEntries(session, { turn: null, attempt: 0 }, [event], input.atMs)
  const after = (yield* first<SessionRow>(sessionSql.byId, session.id)) as SessionRow
  return (yield* headOf(after)) as StoredEntry
}

function* headOf({ transcriptId, head }: SessionRow): Steps<StoredEntry | undefined> {
  const row = yield* first<EntryRow>(entrySql.between, transcriptId, head, head)
  return row === undefined ? undefined : entryOf(row)
}
