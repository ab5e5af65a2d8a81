import type { PartialSettings } from '../../src/engine/settings.ts'
import type { KindPolicy, RetentionPolicy } from '../../src/retention/policy.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs
const kb = 1024

const kept: KindPolicy = {
  idleMaxMs: null,
  ageMaxMs: null,
  sessionsMax: null,
  entriesMax: null,
  bytesMax: null,
  earlierMaxMs: 6 * dayMs,
  end: 'archive',
}

/** Every limit there is binds in some kind, within weeks. The disk budget does when `test/months/world.ts` has a stormy week. */
export const policy: RetentionPolicy = {
  mode: 'enforce',
  everyMs: 6 * hourMs,
  recentMs: hourMs,
  kinds: {
    main: kept,
    direct: { ...kept, idleMaxMs: 7 * dayMs },
    group: { ...kept, ageMaxMs: 14 * dayMs },
    thread: { ...kept, sessionsMax: 60 },
    cron: kept,
    'cron-run': { ...kept, idleMaxMs: dayMs, end: 'trash' },
    subagent: { ...kept, idleMaxMs: 5 * dayMs, sessionsMax: 80, end: 'trash' },
    heartbeat: { ...kept, sessionsMax: 10, end: 'trash' },
    hook: { ...kept, entriesMax: 120, end: 'trash' },
    other: { ...kept, bytesMax: 64 * kb },
  },
  archives: { ageMaxMs: 40 * dayMs, bytesMax: 1_500 * kb },
  trashMaxMs: 9 * dayMs,
  disk: { budgetBytes: 9 * 1024 * kb, highShare: 0.9, lowShare: 0.8 },
}

/** Turns may take hours here, and are not cut off for it. */
export const settings: PartialSettings = {
  turns: { timeLimitMs: dayMs, stallLimitMs: dayMs, attemptsMax: 3 },
  context: { windowTokens: 8_192, answerTokens: 1_024 },
  recovery: { timeLimitMs: dayMs, resumesMax: 20 },
  retention: policy,
  sessions: {
    reset: { mode: 'idle', atHour: 4, timeZone: 'Europe/Vienna', idleMs: 20 * hourMs, ageMaxMs: null, idleMaxMs: null },
  },
  cron: { lateMaxMs: 2 * hourMs },
}
