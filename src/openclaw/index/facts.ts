import type { SessionKind } from '../../model/keys.ts'
import type { Identity } from '../files/identity.ts'

/** What one entry of `sessions.json` says, as far as decisions need it. The rest stays bytes and is never rewritten. */
export interface EntryFacts {
  key: string
  kind: SessionKind
  /** null where it is missing or not one that a gateway would accept. */
  sessionId: string | null
  /** Name of its transcript within the sessions directory, there or not; null where it would lie outside, or none is named. */
  transcript: string | null
  /** Why a gateway would drop it at load; null: it would not. */
  unsafe: string | null
  /** The newest of `updatedAt`, `lastInteractionAt`, `startedAt`, `endedAt` that is not in the future; 0 where none is a time. Unit: ms. */
  usedAtMs: number
  status: string | null
  abortedLastRun: boolean
  pinned: boolean
  /** Its turn waits for a delivery (`pendingFinalDelivery`), or for a child. */
  pending: boolean
  /** Of its value in the file. */
  bytes: number
}

/** How much of an index is one field: `skillsSnapshot` in 364 entries, 4.6 MB, of which 4.5 MB repeat what stands before. */
export interface FieldWeight {
  field: string
  entries: number
  bytes: number
  repeatedBytes: number
}

export type IndexFacts =
  | { state: 'absent' }
  /** It is there and is no index: torn, empty, no JSON, too deep, no access. Never taken for an empty one. */
  | { state: 'unreadable'; because: string; bytes: number; identity: Identity | null }
  | {
      state: 'read'
      bytes: number
      identity: Identity
      sha256: string
      entries: EntryFacts[]
      /** Heaviest first. */
      fields: FieldWeight[]
    }
