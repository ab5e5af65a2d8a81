import type { Message } from './messages.ts'

/**
 * `user`, `assistant`, `tool`, `system`: a message, shown to the model. `event`: something that happened (a turn
 * failed, the session was reset); people see it, the model does not.
 */
export const entryKinds = ['user', 'assistant', 'tool', 'system', 'event'] as const
export type EntryKind = (typeof entryKinds)[number]

/** What happened, as data. `code` is stable; `text` is for people. */
export interface EventBody {
  code: string
  text: string
  [other: string]: unknown
}

/** One record of a transcript. Never rewritten. */
export interface Entry {
  /** Gapless from 1 within its transcript. */
  seq: number
  /** Unique over the whole store, so that a retried append is found again. */
  id: string
  parentId: string | null
  /** The turn that wrote it; null for what belongs to none (a reset). */
  turnId: string | null
  /**
   * Which attempt of its turn wrote it; 0 when that ended before its first. A turn's own messages stand once, under the
   * attempt that brought them; of the rest, the model is shown what the last attempt wrote.
   */
  attempt: number
  kind: EntryKind
  body: Message | EventBody
  /** The meter's count, before the session's correction. */
  tokens: number
  atMs: number
}

/** An entry before the store has given it its place. */
export interface NewEntry {
  id: string
  kind: EntryKind
  body: Message | EventBody
  tokens: number
}
