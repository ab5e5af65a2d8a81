import type { ArchivedTranscript, ArchivePlace, NewArchivedTranscript } from '../model/archives.ts'
import type { Entry } from '../model/entries.ts'
import type { SessionKey, SessionKind } from '../model/keys.ts'
import type { Page } from './page.ts'

/**
 * What retention needs of a store. Nothing here touches bundles or manifests: those are files, and the caller's. The order is
 * always: copy and manifest synced, then `takeOut`; on the way back `putBack`, then the caller notes it in the manifest.
 */
export interface RetentionVerbs {
  /** Totals, and what would go first. Bounded by `limit` for each list; what is protected is counted and not listed. */
  readRetention(query: RetentionQuery): Promise<RetentionFacts>
  /**
   * The records of these transcripts as JSON lines, in the order asked, as many as `bytesMax` holds but at least a part of
   * the first; the last may be a part, with `next`. A part begins and ends with a whole line. What is not there is left out.
   */
  exportTranscripts(input: { items: ExportItem[]; bytesMax: number }): Promise<ExportPart[]>
  /**
   * Takes transcripts out whose session is as it was when `stamp` was read and is not protected; the others stay, with the
   * reason. Afterwards nothing but `listArchived` shows them. A key whose session was taken out goes on with the
   * next transcript number and from its fence. Rows beyond a bound are only hidden: `purge` deletes them. The current transcript
   * goes after the earlier ones, or with them: then it is the last of its session in `items`. The same call again gives the
   * same ids. Fifty items hold the writer for about 20 ms.
   */
  takeOut(input: { items: TakeOutItem[]; atMs: number }): Promise<TakenOut[]>
  /**
   * Deletes hidden rows, and bodies that nothing refers to any more; about `rowsMax`, or as many as 15 ms allow. Also what
   * came back in part before the last start. True when more are left.
   */
  purge(input: { rowsMax: number }): Promise<boolean>
  /**
   * Puts an archived transcript back, a part of whole lines at a time, from part 0 on; with the `last` part it is there again
   * as it was, to the byte of `exportTranscripts` after the first line, and off the list of archived ones. Where its session
   * is gone that is made again with all that it had: so put the newest of a session back first. Where it has begun anew, or
   * goes on, it becomes an earlier transcript of it. Times are as they were: a sweep would take it out again, unless the
   * session is pinned or used. One that never was here comes in the same way, after `enterArchived`: its numbers are 0 and are given here. Parts of 128 KB hold the writer for about 10 ms. The same part again changes nothing;
   * beginning again with part 0 is always allowed. @throws ARCHIVE_NOT_FOUND, ARCHIVE_DAMAGED (a line that is no record of it,
   * or not as many as its end says), ARCHIVE_CONFLICT (that number or one of its ids is there already; with `retryAfterMs`:
   * its session began or ended meanwhile, or a part is missing, so begin again with part 0)
   */
  putBack(input: { id: number; part: number; text: string; last: boolean; atMs: number }): Promise<void>
  /** Newest first by the time they were taken out, by keyset. @throws CURSOR_INVALID */
  listArchived(query: ArchivedQuery): Promise<Page<ArchivedTranscript>>
  /** Enters what a manifest says was taken out: the index is rebuilt from the files. What is known already stays. */
  enterArchived(input: { items: NewArchivedTranscript[] }): Promise<void>
  /** After a bundle was moved or rewritten: where its transcripts are now. */
  moveArchived(input: { moves: ArchivedMove[] }): Promise<void>
  /** After their bytes are gone for good; also what has come back of them in part. */
  dropArchived(input: { ids: number[] }): Promise<void>
  /**
   * Takes the whole session out for good, all its transcripts; rows go with `purge`. Only its fence stays, under the hash of its key.
   * @throws SESSION_NOT_FOUND, SESSION_BUSY
   */
  deleteSession(input: { key: SessionKey; atMs: number }): Promise<void>
  /** Adds an event entry at the head; people see it, the model does not. @throws SESSION_NOT_FOUND, SESSION_BUSY while a turn runs */
  addEvent(input: { key: SessionKey; code: string; text: string; atMs: number }): Promise<Entry>
  /** Writes down that the clock showed this, and was trusted. */
  noteClock(input: { atMs: number }): Promise<void>
  /** Gives free pages back to the disk, at most so many. Afterwards free. */
  giveBack(input: { pagesMax: number }): Promise<{ freeBytes: number }>
  /**
   * Afterwards no byte of what was deleted for good and purged is left in the store's files, not in unused parts of pages
   * either. Rewrites everything: writes wait for about a second for each 100 MB; where nothing was deleted for good
   * (`deleteSession`, `dropArchived`) since it last ended, nothing is done. @throws STORE_IO when a reader does not leave,
   * STORE_FULL; then the next call does it
   */
  scrub(): Promise<void>
}

export interface RetentionQuery {
  /** Of each list; a larger one than 1,000 is cut to that. */
  limit: number
  /** Only sessions whose last activity is before this are listed. */
  activeBeforeMs: number
}

export interface RetentionFacts {
  kinds: KindFacts[]
  /** Transcripts that a reset has ended and whose session is not protected, earliest end first. */
  earlier: EarlierFacts[]
  archived: Record<ArchivePlace, { count: number; bytes: number }>
  bytes: { database: number; free: number; log: number; diskFree: number }
  clock: {
    /** The latest time of an activity, an admission, a take-out, and of what was written last. */
    newestMs: number
    /** What `noteClock` was last told; null when never. */
    notedMs: number | null
  }
}

export interface KindFacts {
  kind: SessionKind
  /** All that there are, protected ones too. */
  sessions: number
  entries: number
  /** Of bodies before compression. */
  bytes: number
  /** Least recently active first. Not listed: running, queued, interrupted, pinned, or with an unsettled delivery. */
  idlest: SessionFacts[]
  /** The same, earliest made first. */
  eldest: SessionFacts[]
}

export interface SessionFacts {
  key: SessionKey
  kind: SessionKind
  createdAtMs: number
  activeAtMs: number
  /** Numbers of its transcripts, oldest first; the last is the current one. */
  transcripts: number[]
  entries: number
  bytes: number
}

export interface EarlierFacts {
  key: SessionKey
  kind: SessionKind
  transcript: number
  /** When the next one began. */
  endedAtMs: number
  entries: number
}

export interface ExportItem {
  key: SessionKey
  transcript: number
  /** `next` of the part before. */
  after?: string
}

export interface ExportPart {
  key: SessionKey
  transcript: number
  /** What must not have changed until it is taken out. Opaque. */
  stamp: string
  /** JSON lines, each with its line feed. */
  text: string
  /** How many entries are in this part, and when the first and last of them were written; null where it has none. */
  entries: number
  firstAtMs: number | null
  lastAtMs: number | null
  next: string | null
}

export interface TakeOutItem {
  key: SessionKey
  transcript: number
  stamp: string
  /** Its place among the archives, which is entered in the same transaction. */
  archived: NewArchivedTranscript
}

export interface TakenOut {
  key: SessionKey
  transcript: number
  /** The id under which it is archived now; null when it stayed. */
  id: number | null
  /** Why it stayed. */
  because: 'changed' | 'busy' | 'pinned' | 'gone' | null
}

export interface ArchivedQuery {
  limit: number
  after?: string
  key?: SessionKey
  place?: ArchivePlace
  sweep?: string
  /** Only those whose `expiresAtMs` is not after this. */
  expiredAtMs?: number
}

export interface ArchivedMove {
  id: number
  place: ArchivePlace
  sweep: string
  file: string
  offset: number
  length: number
  expiresAtMs: number | null
}
