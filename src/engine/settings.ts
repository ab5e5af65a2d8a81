import { problemsOfCron } from '../cron/plan.ts'
import { problemsOfReset, type ResetRule } from '../cron/reset.ts'
import { defaultLaneRules, problemsOfLaneRules } from '../lanes/rules.ts'
import { HoldfastError } from '../model/errors.ts'
import { deliveryWaitMaxMs } from '../model/holders.ts'
import { peopleKinds, type SessionKind } from '../model/keys.ts'
import type { LaneRules } from '../model/lanes.ts'
import { windowMaxMs } from '../model/turns.ts'
import { defaultRecoveryBudget, type RecoveryBudget } from '../recovery/budget.ts'
import { defaultRetentionPolicy, problemsOfRetention, type RetentionPolicy } from '../retention/policy.ts'

/** Every bound has a unit in its name and a reason beside its default. */
export interface EngineSettings {
  lanes: LaneRules
  turns: {
    /** A whole turn, retries included. */
    timeLimitMs: number
    /** Without any sign of progress. */
    stallLimitMs: number
    /** After the signal, before the fence. */
    graceMs: number
    /** Starts of one turn over all restarts; counted before dispatch. */
    attemptsMax: number
    coalesceMs: number
    queuedMax: { session: number; total: number }
  }
  context: {
    /** What the model can take, in tokens; answer included. */
    windowTokens: number
    /** Kept free for the answer. */
    answerTokens: number
    /** Share of the room at which a summary is made in the background. */
    softShare: number
    /** Share of the room that stays word for word when a summary is made. */
    keepShare: number
  }
  compaction: {
    enabled: boolean
    /** One call of the summariser. */
    timeLimitMs: number
    /** Summaries in the making at once, over all sessions. */
    concurrency: number
    /** Failures in a row before a mechanical summary is made. */
    failuresMax: number
    backoffMs: { first: number; max: number }
  }
  delivery: { attemptsMax: number; backoffMs: { first: number; max: number }; timeLimitMs: number }
  recovery: RecoveryBudget
  retention: RetentionPolicy
  sessions: {
    /** When the next message begins a new transcript. */
    reset: ResetRule
    /** Kinds of session that the rule is for. */
    resetKinds: readonly SessionKind[]
  }
  cron: {
    enabled: boolean
    /** Jobs in the store. */
    jobsMax: number
    /** Runs that `missed: 'all'` makes up for after one gap. */
    missedMax: number
    /** A run that starts this late was not missed. */
    lateMaxMs: number
  }
  watch: {
    /** A turn without progress for this long is called stuck. */
    stuckAfterMs: number
    /** An event loop that has not gone round for this long is called wedged. */
    wedgedAfterMs: number
  }
}

export const defaultSettings: EngineSettings = {
  lanes: defaultLaneRules,
  turns: {
    timeLimitMs: 10 * 60_000, // a long answer of a slow local model
    stallLimitMs: 2 * 60_000, // time to the first token of a large context on a busy server
    graceMs: 5_000,
    attemptsMax: 3, // a turn that ends the process three times is taken for its cause
    coalesceMs: 1_500, // people send a thought in several messages
    queuedMax: { session: 100, total: 100_000 },
  },
  context: {
    windowTokens: 32_768, // what small local models have
    answerTokens: 4_096,
    softShare: 0.6,
    keepShare: 0.25,
  },
  compaction: {
    enabled: true,
    timeLimitMs: 120_000,
    concurrency: 2,
    failuresMax: 3,
    backoffMs: { first: 10_000, max: 3_600_000 },
  },
  delivery: { attemptsMax: 5, backoffMs: { first: 1_000, max: 300_000 }, timeLimitMs: 60_000 },
  recovery: defaultRecoveryBudget,
  retention: defaultRetentionPolicy,
  sessions: {
    reset: { mode: 'off', atHour: 4, timeZone: 'UTC', idleMs: 24 * 3_600_000, ageMaxMs: null, idleMaxMs: null },
    resetKinds: peopleKinds,
  },
  cron: { enabled: true, jobsMax: 1_000, missedMax: 100, lateMaxMs: 60_000 },
  watch: {
    stuckAfterMs: 60_000, // half of the stall limit: told before it is ended
    wedgedAfterMs: 5_000, // garbage collection of a large heap takes a second or two
  },
}

/** Settings of which any part may be left out. */
export type PartialSettings = { [Section in keyof EngineSettings]?: Partial<EngineSettings[Section]> }

/** Fills in what `base` says, the defaults unless told, and checks the relations between limits. @throws HoldfastError CONFIG_INVALID */
export function resolveSettings(given: PartialSettings, base: EngineSettings = defaultSettings): EngineSettings {
  const settings: EngineSettings = {
    lanes: { ...base.lanes, ...given.lanes },
    turns: { ...base.turns, ...given.turns },
    context: { ...base.context, ...given.context },
    compaction: { ...base.compaction, ...given.compaction },
    delivery: { ...base.delivery, ...given.delivery },
    recovery: { ...base.recovery, ...given.recovery },
    retention: { ...base.retention, ...given.retention },
    sessions: { ...base.sessions, ...given.sessions },
    cron: { ...base.cron, ...given.cron },
    watch: { ...base.watch, ...given.watch },
  }
  const { turns, context } = settings
  check(context.answerTokens < context.windowTokens, 'context.answerTokens must be less than context.windowTokens')
  check(context.keepShare < context.softShare, 'context.keepShare must be less than context.softShare')
  check(context.softShare < 1, 'context.softShare must be less than 1')
  check(turns.coalesceMs <= windowMaxMs, 'turns.coalesceWindow must not be longer than an hour')
  check(settings.delivery.backoffMs.max <= deliveryWaitMaxMs, 'delivery.backoff must not be longer than a day')
  check(turns.stallLimitMs <= turns.timeLimitMs, 'turns.stallLimit must not be longer than turns.timeLimit')
  const problems = [
    ...problemsOfLaneRules(settings.lanes),
    ...problemsOfRetention(settings.retention),
    ...problemsOfReset(settings.sessions.reset),
    ...problemsOfCron(settings.cron),
  ]
  check(problems.length === 0, problems.join('; '))
  check(isTimeZone(settings.sessions.reset.timeZone), 'sessions.reset.timeZone must be an IANA name')
  return settings
}

function check(holds: boolean, because: string): void {
  if (!holds) throw new HoldfastError('CONFIG_INVALID', { because })
}

/** `Europe/Vienna`, `UTC`: a name that the system's time zone data know. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Tokens that instructions, history and new messages may fill together. */
export function roomTokens(context: EngineSettings['context']): number {
  return context.windowTokens - context.answerTokens
}
