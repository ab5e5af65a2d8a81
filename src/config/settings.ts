import type { EngineSettings } from '../engine/settings.ts'
import type { SessionKind } from '../model/keys.ts'
import { type LaneName, type LaneRule, laneNames } from '../model/lanes.ts'
import type { KindPolicy, RetentionPolicy } from '../retention/policy.ts'
import type { ConfigValues } from './schema.ts'

/** The part of a configuration that the engine goes by. */
export function settingsOf(config: ConfigValues): Omit<EngineSettings, 'delivery'> {
  const { turns, compaction, model, lanes, recovery, sessions, cron, watch } = config
  return {
    lanes: {
      slots: lanes.slots,
      userSlots: lanes.userSlots,
      sourceShare: lanes.sourceShare,
      lanes: Object.fromEntries(laneNames.map((name) => [name, laneOf(lanes[name])])) as Record<LaneName, LaneRule>,
    },
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
    recovery: {
      enabled: recovery.enabled,
      timeLimitMs: recovery.timeLimit,
      ageMaxMs: recovery.ageMax,
      resumesMax: recovery.resumes,
      crashLoop: { starts: recovery.crashLoopStarts, withinMs: recovery.crashLoopWithin },
    },
    retention: retentionOf(config.retention),
    sessions: {
      reset: {
        mode: sessions.reset.mode,
        atHour: sessions.reset.atHour,
        timeZone: sessions.reset.timeZone,
        idleMs: sessions.reset.idle,
        ageMaxMs: sessions.bindings.age,
        idleMaxMs: sessions.bindings.idle,
      },
      resetKinds: sessions.kinds,
    },
    cron: { enabled: cron.enabled, jobsMax: cron.jobs, missedMax: cron.missed, lateMaxMs: cron.lateMax },
    watch: { stuckAfterMs: watch.stuckAfter, wedgedAfterMs: watch.wedgedAfter },
  }
}

const laneOf = ({ concurrency, patience, waitLimit }: ConfigValues['lanes']['main']): LaneRule => ({
  concurrency,
  patienceMs: patience,
  waitLimitMs: waitLimit,
})

function retentionOf(retention: ConfigValues['retention']): RetentionPolicy {
  const { mode, every, recent, trash, archives, disk } = retention
  const kinds = Object.entries(retention.kinds).map(([kind, limits]) => [kind, kindOf(limits)])
  return {
    mode,
    everyMs: every,
    recentMs: recent,
    trashMaxMs: trash,
    archives: { ageMaxMs: archives.age, bytesMax: archives.bytes },
    disk: { budgetBytes: disk.budget, highShare: disk.high, lowShare: disk.low },
    kinds: Object.fromEntries(kinds) as Record<SessionKind, KindPolicy>,
  }
}

const kindOf = (limits: ConfigValues['retention']['kinds']['main']): KindPolicy => ({
  idleMaxMs: limits.idle,
  ageMaxMs: limits.age,
  sessionsMax: limits.sessions,
  entriesMax: limits.entries,
  bytesMax: limits.bytes,
  earlierMaxMs: limits.earlier,
  end: limits.end,
})
