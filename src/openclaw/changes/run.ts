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
  'mark-entry',
  'rotate-index',
  'rebuild-index',
  'repair-transcript',
  'tighten-mode',
  'expire-archive',
  'drop-binding',
] as const
export type StepKind = (typeof stepKinds)[number]

export interface StepNote {
  kind: StepKind
  because: string
  key: string | null
}

export type Outcome = { done: true; bytes: number } | Left

/** Untouched. `because` is for people. */
export interface Left {
  done: false
  left: 'changed' | 'missing' | 'locked' | 'unsafe' | 'no access' | 'no room'
  because: string
}
