import type { Entry } from '../model/entries.ts'
import type { SessionKey, SessionKind } from '../model/keys.ts'
import type { Session, SessionState } from '../model/sessions.ts'
import type { Page } from './page.ts'

export interface SessionVerbs {
  /** Finds the session or makes an empty one. */
  openSession(input: { key: SessionKey; atMs: number }): Promise<Session>
  readSession(key: SessionKey): Promise<Session | null>
  /** Newest activity first, by keyset. @throws CURSOR_INVALID */
  listSessions(query: SessionQuery): Promise<Page<Session>>
  /** @throws SESSION_NOT_FOUND */
  patchSession(input: { key: SessionKey; title?: string | null; pinned?: boolean; atMs: number }): Promise<Session>
  /**
   * Starts a new transcript that opens with an event entry. A running turn is settled as cancelled and fenced off;
   * waiting turns stay and run in the new transcript. @throws SESSION_NOT_FOUND
   */
  resetSession(input: { key: SessionKey; reason: string; atMs: number }): Promise<ResetResult>
  /** Out of the lists until its next message, which opens it again. @throws SESSION_NOT_FOUND, SESSION_BUSY */
  archiveSession(input: { key: SessionKey; atMs: number }): Promise<Session>
  /** Entries whose text contains every word, newest first; scans, bounded by `limit` and by time. */
  searchEntries(query: SearchQuery): Promise<Page<SearchHit>>
}

export interface SessionQuery {
  limit: number
  after?: string
  kind?: SessionKind
  agentId?: string
  state?: SessionState
  /** Only keys that begin with this. */
  prefix?: string
  /** Only sessions with a running or waiting turn (true) or without (false). */
  busy?: boolean
}

export interface ResetResult {
  session: Session
  previousTranscript: number
  cancelledTurnId: string | null
}

export interface SearchQuery {
  text: string
  limit: number
  after?: string
  key?: SessionKey
}

export interface SearchHit {
  sessionKey: SessionKey
  transcript: number
  entry: Entry
}
