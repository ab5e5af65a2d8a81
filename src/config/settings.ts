import type { PartialSettings } from '../engine/settings.ts'
import type { ConfigValues } from './schema.ts'

/** The part of a configuration that the engine goes by. */
export function settingsOf(config: ConfigValues): PartialSettings {
  const { turns, compaction, model } = config
  return {
    lanes: config.lanes,
    turns: {
      timeLimitMs: turns.timeLimit,
      stallLimitMs: turns.stallLimit,
      graceMs: turns.grace,
      attemptsMax: turns.attempts,
      coalesceMs: turns.coalesceWindow,
      queuedMax: { session: turns.queuedPerSession, total: turns.queuedTotal },
    },
    context: {
      windowTokens: model.contextWindow,
      answerTokens: model.answerTokens,
      softShare: compaction.softShare,
      keepShare: compaction.keepShare,
    },
    compaction: {
      enabled: compaction.enabled,
      timeLimitMs: compaction.timeLimit,
      concurrency: compaction.concurrency,
      failuresMax: compaction.failuresMax,
      backoffMs: { first: compaction.backoffFirst, max: compaction.backoffMax },
    },
  }
}
