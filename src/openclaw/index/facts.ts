import type { SessionKind } from '../../model/keys.ts'
import type { Identity } from '../files/identity.ts'

/** What one entry of `sessions.json` says, as far as decisions need it. The rest stays bytes and is never rewritten. */
export interface EntryFacts {
  key: string
  kind: SessionKind
  /** null where it is missing or not one that a gateway would accept. */
  sessionId: string | null
  /** Name of its transcript in the sessions directory, there or not; null where it would lie elsewhere, or none is named. */
  transcript: string | null
  /**
   * The directory that its `sessionFile` names, where that is not this one; else null. With a `transcript` the home was moved, is seen
   * from outside its container or by another way; without one it leads to another agent or out of the home: left to people.
   */
  elsewhere: string | null
  /** The name of the file there; only where `elsewhere` is set and `transcript` is not. */
  elsewhereName?: string
  /** Why a gateway would drop it at load; null: it would not. */
  unsafe: string | null
  /**
   * The newest of `updatedAt`, `lastInteractionAt`, `startedAt`, `endedAt` that is not in the future (a minute is now); 0 where none is, so
   * that its age cannot be told: a gateway keeps such an entry. Unit: ms.
   */
  usedAtMs: number
  status: string | null
  abortedLastRun: boolean
  pinned: boolean
  /** It waits for a delivery (`pendingFinalDelivery`), for a child, or is one that others wait for (`subagents/runs.json`). */
  pending: boolean
  /** Of its value in the file. */
  bytes: number
}

/**
 * How much of an index is one field: `skillsSnapshot` in 364 entries, 4.6 MB, of which 4.5 MB repeat to the byte what stands before in the same
 * field. Counted are values, without keys and white space around them; only those of 256 bytes and more are looked at for repeats.
 */
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
      /** One for each key, in the order of the file. */
      entries: EntryFacts[]
      /** Keys that stand more than once; the last of each counts, as for a gateway, and is what `entries` shows. */
      duplicates: string[]
      /** Heaviest first. */
      fields: FieldWeight[]
    }

/**
 * What a gateway writes into an entry from elsewhere and makes anew with the session's next message: the list of skills, and a report on the
 * system prompt. Tried with 2026.5.18 and 2026.7.1: entries without them work, keep their history, and have them again after one message.
 */
export const derivedFields = ['skillsSnapshot', 'systemPromptReport'] as const
