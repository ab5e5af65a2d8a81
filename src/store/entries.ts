import type { Entry, EntryKind, NewEntry } from '../model/entries.ts'
import type { SessionKey } from '../model/keys.ts'
import type { Summary } from '../model/sessions.ts'

export interface EntryVerbs {
  /**
   * Appends at the head, all or none. Only the holder of the session's lease may: `fence` must be the current one.
   * `head` is the last `seq` the writer knows; when these very entries stand there already, that is the success of
   * an earlier try. @throws FENCED, HEAD_MOVED
   */
  appendEntries(input: AppendInput): Promise<{ head: number }>
  /** A slice by keyset, bounded in rows and bytes. @throws SESSION_NOT_FOUND */
  readEntries(query: EntryQuery): Promise<EntryPage>
  /**
   * What the model may be shown: the newest summary of the current transcript and the newest entries after it, oldest
   * first, as many as `tokensMax` and `bytesMax` hold (at least the last one). Left out is what attempts wrote that were
   * made again, and turns that the model refused (MODEL_REJECTED) or that ended while they waited. @throws SESSION_NOT_FOUND
   */
  readContext(query: ContextQuery): Promise<ContextSource>
}

export interface AppendInput {
  key: SessionKey
  turnId: string
  fence: number
  head: number
  entries: NewEntry[]
  atMs: number
}

export interface EntryQuery {
  key: SessionKey
  /** Which incarnation; the current one when absent. */
  transcript?: number
  order: 'oldest' | 'newest'
  /** Only entries after this `seq` in reading order: greater for `oldest`, smaller for `newest`. */
  after?: number
  limit: number
  kinds?: EntryKind[]
  /** Only what `readContext` would show if there were no summary. */
  shownOnly?: boolean
}

export interface EntryPage {
  transcript: number
  entries: Entry[]
  /** Give it back as `after`; null at the end. */
  next: number | null
}

export interface ContextQuery {
  key: SessionKey
  /** Leaves out the entries of this turn: its own messages are put last by the caller. */
  exceptTurnId?: string
  tokensMax: number
  bytesMax: number
}

export interface ContextSource {
  transcript: number
  head: number
  summary: Summary | null
  entries: Entry[]
  /** Shown kinds only: how many entries after the summary did not fit, and their tokens. */
  olderCount: number
  olderTokens: number
  meterRatio: number
}
