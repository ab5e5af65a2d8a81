import type { ArchivePlace } from '../model/archives.ts'
import type { SessionKey, SessionKind } from '../model/keys.ts'
import type { RetentionEnd } from './policy.ts'

/** One folder of `archives/` or `trash/`: what one sweep has put there. It moves and goes as a whole. */
export interface FolderFacts {
  place: ArchivePlace
  folder: string
  /** When what is in it came to this place. */
  sinceMs: number
  /** Null in `archives`. */
  expiresAtMs: number | null
  /** On the disk. */
  bytes: number
  /** That are still in it; 0: only the manifest is left, as a record. */
  transcripts: number
}

export type TakeOutCause = 'idle' | 'age' | 'count' | 'entries' | 'bytes' | 'disk' | 'ended'
type FolderCause = 'age' | 'bytes' | 'expired' | 'disk' | 'empty'

export type RetentionStep =
  /** A session, or with `whole: false` transcripts of it that a reset has ended. */
  | {
      kind: 'take out'
      key: SessionKey
      sessionKind: SessionKind
      /** Oldest first. */
      transcripts: number[]
      whole: boolean
      end: RetentionEnd
      entries: number
      /** Last activity; of earlier transcripts their end. */
      lastAtMs: number
      /** Of bodies before compression; 0 where it is not known. */
      bytes: number
      cause: TakeOutCause
      because: string
    }
  | { kind: 'to trash'; folder: string; transcripts: number; bytes: number; cause: FolderCause; because: string }
  | { kind: 'delete'; folder: string; transcripts: number; bytes: number; cause: FolderCause; because: string }
  /** The manifest of a folder in which nothing is left. */
  | { kind: 'forget'; place: ArchivePlace; folder: string; bytes: number; cause: FolderCause; because: string }
