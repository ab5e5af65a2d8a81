import { HoldfastError } from '../model/errors.ts'
import type { LaneLimits } from '../model/lanes.ts'

/** Every bound has a unit in its name and a reason beside its default. */
export interface EngineSettings {
  lanes: LaneLimits
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
}

export const defaultSettings: EngineSettings = {
  lanes: {
    main: 64, // turns mostly wait for the network; the model server has its own limit
    subagent: 8,
    cron: 4,
    resume: 1, // one at a time, so that a restart is no stampede
    background: 2,
  },
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
}

/** Settings of which any part may be left out. */
export type PartialSettings = { [Section in keyof EngineSettings]?: Partial<EngineSettings[Section]> }

/** Fills in the defaults and checks the relations between limits. @throws HoldfastError CONFIG_INVALID */
export function resolveSettings(given: PartialSettings): EngineSettings {
  const settings: EngineSettings = {
    lanes: { ...defaultSettings.lanes, ...given.lanes },
    turns: { ...defaultSettings.turns, ...given.turns },
    context: { ...defaultSettings.context, ...given.context },
    compaction: { ...defaultSettings.compaction, ...given.compaction },
    delivery: { ...defaultSettings.delivery, ...given.delivery },
  }
  const { turns, context } = settings
  check(context.answerTokens < context.windowTokens, 'context.answerTokens must be less than context.windowTokens')
  check(context.keepShare < context.softShare, 'context.keepShare must be less than context.softShare')
  check(context.softShare < 1, 'context.softShare must be less than 1')
  check(turns.stallLimitMs <= turns.timeLimitMs, 'turns.stallLimit must not be longer than turns.timeLimit')
  return settings
}

function check(holds: boolean, because: string): void {
  if (!holds) throw new HoldfastError('CONFIG_INVALID', { because })
}

/** Tokens that instructions, history and new messages may fill together. */
export function roomTokens(context: EngineSettings['context']): number {
  return context.windowTokens - context.answerTokens
}
