import type { SessionKind } from '../model/keys.ts'

/** `warn`: what `enforce` would do is told and not done. */
export const retentionModes = ['off', 'warn', 'enforce'] as const
export type RetentionMode = (typeof retentionModes)[number]

/** `archive`: kept compressed, searchable, until the archives' own limits. `trash`: kept compressed until the trash expires. */
export const retentionEnds = ['archive', 'trash'] as const
export type RetentionEnd = (typeof retentionEnds)[number]

/** Of one kind of session. Null: no limit. */
export interface KindPolicy {
  /** Since the last activity. */
  idleMaxMs: number | null
  /** Since the session was made. */
  ageMaxMs: number | null
  /** Sessions of this kind, entries in all of them, and bytes of their bodies; the least recently active go first. */
  sessionsMax: number | null
  entriesMax: number | null
  bytesMax: number | null
  /** Transcripts that a reset has ended, since that reset; the current one is not touched by it. */
  earlierMaxMs: number | null
  /** Where what goes goes. */
  end: RetentionEnd
}

export interface RetentionPolicy {
  mode: RetentionMode
  /** Between two sweeps; never less than five minutes. */
  everyMs: number
  /** Active within this: never touched. */
  recentMs: number
  kinds: Readonly<Record<SessionKind, KindPolicy>>
  archives: { ageMaxMs: number | null; bytesMax: number | null }
  /** What is in the trash longer is deleted for good. */
  trashMaxMs: number
  /** Database, archives and trash together. Above the high mark sessions go until the low mark. Null: no budget. */
  disk: { budgetBytes: number | null; highShare: number; lowShare: number }
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const kept: KindPolicy = {
  idleMaxMs: null,
  ageMaxMs: null,
  sessionsMax: null,
  entriesMax: null,
  bytesMax: null,
  earlierMaxMs: 90 * dayMs,
  end: 'archive',
}
/** People come back after a holiday, not after a quarter. */
const conversation: KindPolicy = { ...kept, idleMaxMs: 90 * dayMs }
/** Nobody comes back to them; they are kept for looking into what happened. */
const errand: KindPolicy = { ...kept, idleMaxMs: 7 * dayMs, sessionsMax: 500, end: 'trash' }

export const defaultRetentionPolicy: RetentionPolicy = {
  mode: 'enforce',
  everyMs: 6 * hourMs,
  recentMs: hourMs,
  kinds: {
    main: kept,
    direct: conversation,
    group: conversation,
    thread: { ...conversation, idleMaxMs: 30 * dayMs },
    cron: kept,
    'cron-run': { ...errand, idleMaxMs: dayMs },
    subagent: errand,
    heartbeat: errand,
    hook: errand,
    other: conversation,
  },
  archives: { ageMaxMs: null, bytesMax: null }, // what people said is not deleted unless somebody asks for it
  trashMaxMs: 30 * dayMs,
  disk: { budgetBytes: null, highShare: 0.9, lowShare: 0.8 },
}

/** More often would only find what the last sweep has just left. */
export const sweepEveryMinMs = 5 * 60_000

/** What is wrong with a policy, each line begins with its key. */
export function problemsOfRetention(policy: RetentionPolicy): string[] {
  const problems: string[] = []
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem)
  }
  const amount = (found: number | null, key: string, least: number) =>
    demand(
      found === null || (Number.isSafeInteger(found) && found >= least),
      `${key}: found ${found}, allowed is a whole number from ${least}, or none`,
    )
  demand(retentionModes.includes(policy.mode), `retention.mode: found ${policy.mode}`)
  amount(policy.everyMs, 'retention.every', sweepEveryMinMs)
  amount(policy.recentMs, 'retention.recent', 0)
  amount(policy.trashMaxMs, 'retention.trash', 0)
  for (const [kind, limits] of Object.entries(policy.kinds)) {
    const key = `retention.kinds.${kind}`
    demand(Object.hasOwn(defaultRetentionPolicy.kinds, kind), `${key}: there is no such kind of session`)
    amount(limits.idleMaxMs, `${key}.idle`, 1)
    amount(limits.ageMaxMs, `${key}.age`, 1)
    amount(limits.sessionsMax, `${key}.sessions`, 0)
    amount(limits.entriesMax, `${key}.entries`, 0)
    amount(limits.bytesMax, `${key}.bytes`, 0)
    amount(limits.earlierMaxMs, `${key}.earlier`, 1)
    demand(retentionEnds.includes(limits.end), `${key}.end: found ${limits.end}`)
  }
  amount(policy.archives.ageMaxMs, 'retention.archives.age', 1)
  amount(policy.archives.bytesMax, 'retention.archives.bytes', 0)
  const { budgetBytes, highShare, lowShare } = policy.disk
  amount(budgetBytes, 'retention.disk.budget', 1)
  demand(highShare > 0 && highShare <= 1, `retention.disk.high: found ${highShare}, allowed is above 0, at most 1`)
  demand(
    lowShare > 0 && lowShare < highShare,
    `retention.disk.low: found ${lowShare}, allowed is above 0 and less than retention.disk.high (${highShare})`,
  )
  return problems
}
