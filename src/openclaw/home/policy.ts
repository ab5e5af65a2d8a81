/** What may stay and how long, from the home's own `openclaw.json`, then from the command line, then from here. */
export interface HomePolicy {
  /** `off`: nothing is done; `warn`: steps are shown and none is done; `enforce`. */
  mode: 'off' | 'warn' | 'enforce'
  /** A session that nobody used for this long is archived with its transcript. Unit: ms. */
  transcriptIdleMs: number
  /** An index entry without a transcript, or one that cannot be resumed, goes after this long. Unit: ms. */
  bindingIdleMs: number
  /** Most entries of one agent's index. */
  entriesMax: number
  /** A cron run's session goes after this long; null: never. Unit: ms. */
  cronRunMs: number | null
  /** An index over this many bytes is copied beside itself (`sessions.json.bak.<ms>`) and written anew without what repeats. */
  indexRotateBytes: number
  indexBackupsKept: number
  /** `.deleted.`, `.reset.`, `.bak`, `.corrupt`, checkpoints and trajectories go to the archive after this long. Unit: ms. */
  leftoverMs: number
  /** Temporary files go after this long. Unit: ms. */
  temporaryMs: number
  /** Archives of errands and leftovers are deleted after this long; null: never. What people said is kept. Unit: ms. */
  archiveMs: number | null
  /** All archives together; the oldest errands go first, what people said last and only when a person set this. null: no bound. */
  archiveBytesMax: number | null
  /** All files of one agent's sessions directory; null: no bound. Above `max` the oldest go until `low` is reached. Unit: bytes. */
  diskBudget: { maxBytes: number; lowBytes: number } | null
  /** What was touched within this time is left alone. Unit: ms. */
  recentMs: number
  /** How many sessions of one agent a start may resume. */
  resumesMax: number
  /** Only what was interrupted within this time is resumed. Unit: ms. */
  resumeAgeMs: number
  /** Where each came from, for people: `openclaw.json`, `--idle`, or `default`. */
  sources: Partial<Record<Exclude<keyof HomePolicy, 'sources'>, string>>
}

const minuteMs = 60_000
const dayMs = 86_400_000

export const defaultHomePolicy: HomePolicy = {
  mode: 'warn',
  transcriptIdleMs: 5 * dayMs,
  bindingIdleMs: 30 * dayMs,
  entriesMax: 500,
  cronRunMs: dayMs,
  indexRotateBytes: 10 * 1024 ** 2,
  indexBackupsKept: 3,
  leftoverMs: dayMs,
  temporaryMs: 5 * minuteMs,
  archiveMs: 90 * dayMs,
  archiveBytesMax: null,
  diskBudget: null,
  recentMs: 10 * minuteMs,
  resumesMax: 5,
  resumeAgeMs: dayMs,
  sources: {},
}
