/** What people and programs are told of one step. Documented: other programs rely on it. */
export interface StepReport {
  kind: StepKind
  /** Absolute. */
  path: string
  /** The session that it is about, where it is about one. */
  key: string | null
  because: string
  /** What it frees, or what it concerns. */
  bytes: number
  done: boolean
  /** Why it was not done; null when it was, or when nothing was to be done yet (a dry run, a warning). */
  left: string | null
}

export const stepKinds = [
  'clear-lock',
  'archive-transcript',
  'archive-leftover',
  'remove-temporary',
  'drop-entry',
  'settle-entry',
  'rotate-index',
  'rebuild-index',
  'repair-transcript',
  'tighten-mode',
  'expire-archive',
] as const
export type StepKind = (typeof stepKinds)[number]

export interface StepNote {
  kind: StepKind
  because: string
  key: string | null
}

/** A change of one index entry, so that undoing can merge it into an index that has moved on. Raw JSON text of the value. */
export interface EntryChange {
  key: string
  /** null: it was not there. */
  before: string | null
  /** null: it is taken out. */
  after: string | null
}

export type Outcome =
  | { done: true; bytes: number }
  /** Untouched. `because` is for people. */
  | { done: false; left: 'changed' | 'missing' | 'locked' | 'unsafe' | 'no room'; because: string }
