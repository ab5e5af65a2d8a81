import { Cron } from 'croner'
import type { Session } from '../model/sessions.ts'
import { formatDuration } from '../model/units.ts'

/** A transcript ends, with the next message, by any of these. */
export interface ResetRule {
  /** `daily`: at the last `atHour` o'clock of the time zone; `idle`: after `idleMs` without activity. */
  mode: 'off' | 'daily' | 'idle'
  atHour: number
  /** An IANA name such as `Europe/Vienna`. */
  timeZone: string
  idleMs: number
  /** Bindings end by age, since the transcript began, and by idle time, whatever the mode. Null: they do not. */
  ageMaxMs: number | null
  idleMaxMs: number | null
}

export const resetModes = ['off', 'daily', 'idle'] as const

/** Values that make no sense, each as `key: what`. The time zone is checked where its data are. */
export function problemsOfReset({ mode, atHour, idleMs, ageMaxMs, idleMaxMs }: ResetRule): string[] {
  const problems: string[] = []
  if (!resetModes.includes(mode)) problems.push(`sessions.reset.mode: found ${mode}`)
  const isHour = Number.isInteger(atHour) && atHour >= 0 && atHour <= 23
  if (!isHour) problems.push(`sessions.reset.atHour: found ${atHour}, allowed is 0 to 23`)
  const spans = {
    'sessions.reset.idle': idleMs,
    'sessions.bindings.age': ageMaxMs,
    'sessions.bindings.idle': idleMaxMs,
  }
  for (const [key, ms] of Object.entries(spans)) {
    if (ms !== null && !(ms > 0)) problems.push(`${key}: found ${ms}, allowed is above 0`)
  }
  return problems
}

/** What the rule needs to know of a session. Whether it is busy, the store looks at in the step that resets it. */
export type ResetFacts = Pick<Session, 'transcript' | 'head' | 'transcriptAtMs' | 'activeAtMs'>

export function canReset({ mode, ageMaxMs, idleMaxMs }: ResetRule): boolean {
  return mode !== 'off' || ageMaxMs !== null || idleMaxMs !== null
}

/**
 * Why the next message begins a new transcript; null when it goes on with the one that is there. What is dated in the future is
 * the work of a clock that was wrong, and ends nothing.
 */
export function planReset(session: ResetFacts, rule: ResetRule, nowMs: number): string | null {
  const { transcriptAtMs, activeAtMs } = session
  if (isEmpty(session)) return null
  if (rule.mode === 'daily' && transcriptAtMs < lastBoundaryMs(rule, nowMs)) {
    return `daily reset at ${String(rule.atHour).padStart(2, '0')}:00 ${rule.timeZone}`
  }
  const idleMs = nowMs - activeAtMs
  if (rule.mode === 'idle' && idleMs > rule.idleMs) return `idle for more than ${formatDuration(rule.idleMs)}`
  if (rule.idleMaxMs !== null && idleMs > rule.idleMaxMs) {
    return `idle for more than ${formatDuration(rule.idleMaxMs)}`
  }
  if (rule.ageMaxMs !== null && nowMs - transcriptAtMs > rule.ageMaxMs) {
    return `older than ${formatDuration(rule.ageMaxMs)}`
  }
  return null
}

/** Later transcripts open with the event of their reset. */
const isEmpty = ({ transcript, head }: ResetFacts): boolean => head <= (transcript === 1 ? 0 : 1)

/** The last time that the hour struck in the zone, now included. An hour that spring leaves out strikes when the clock has jumped. */
function lastBoundaryMs({ atHour, timeZone }: ResetRule, nowMs: number): number {
  const hour = new Cron(`0 ${atHour} * * *`, { timezone: timeZone })
  return hour.previousRuns(1, new Date(nowMs + 1))[0]?.getTime() ?? 0
}
