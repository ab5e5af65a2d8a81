/** One start of a process that runs turns. */
export interface Start {
  holderId: string
  pid: number
  atMs: number
  /** Null while it runs, and when it ended without saying so. */
  endedAtMs: number | null
  /** It found its predecessor without a clean end. */
  unclean: boolean
}

/** What can be wrong with one session's rows. All but `entries` is derived from others, and can be made anew. */
export const sessionProblems = [
  'ready turn',
  'lease',
  'queued count',
  'fence',
  'head',
  'shown counts',
  'context tokens',
  'entries',
] as const
export type SessionProblem = (typeof sessionProblems)[number]
