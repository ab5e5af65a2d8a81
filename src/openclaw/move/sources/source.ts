import type { SourceLine } from '../lines/line.ts'

/** One transcript of a home, wherever its lines are. */
export interface TranscriptSource {
  /** Unique within its agent: the session's id, or the file's name where that says more. */
  name: string
  sessionId: string
  /** Its file's name; null where its rows are in a database. */
  file: string | null
  /** Where a gateway says so. Unit: ms. */
  startedAtMs: number | null
  /**
   * Its lines from the first on, each time anew. At the end of a file that is written to meanwhile stands what was there at the first
   * reading. @throws HoldfastError HOME_CHANGED, HOME_UNREADABLE, HOME_UNSAFE
   */
  lines(): AsyncIterable<SourceLine>
}

/** All that a home has of one conversation. */
export interface SessionSource {
  agent: string
  /** null where no index knows it: nobody can say whose conversation it was. */
  key: string | null
  /** The index entry, as text. */
  entry: string | null
  title: string | null
  usedAtMs: number | null
  pinned: boolean
  archivedAtMs: number | null
  /** Oldest first; the last is the one in which the conversation goes on, unless it is ended. Empty where its transcript is gone. */
  transcripts: TranscriptSource[]
  /** The next message begins anew: the transcript in which it went on is gone, or a reset has put it away. */
  isEnded: boolean
  /** What its entry names and is not there: nothing is lost by that here. */
  missing: string[]
  /** What is there and cannot be brought over. */
  unread: string[]
}

/** What is in a home and is not brought over, with the reason. */
export interface LeftOut {
  what: 'deleted' | 'leftover' | 'archive' | 'agent'
  name: string
  because: string
}

export const deletedBecause = 'its user has deleted it (`--deleted` brings it over)'

/** One agent's part of a home. */
export interface AgentSource {
  agent: string
  sessions: SessionSource[]
  leftOut: LeftOut[]
}
