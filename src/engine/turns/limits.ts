import type { Clock } from '../../host/clock.ts'
import type { LaneName } from '../../model/lanes.ts'
import type { EngineSettings } from '../settings.ts'
import { pause } from '../waiting.ts'
import type { Cut } from './verdict.ts'

/** Timers count in 32 bits, and a limit may be years. */
const sleepMaxMs = 60_000

/** When this watcher itself slept so much longer than it wanted, the whole process stood still, and nobody is to blame. */
const oversleptMs = 1_000

/** A turn that runs again after a restart has less time: new messages are waited for more. */
export function limitsOf(
  { turns, recovery }: Pick<EngineSettings, 'turns' | 'recovery'>,
  lane: LaneName,
): { timeLimitMs: number; stallLimitMs: number } {
  if (lane !== 'resume') return turns
  return { ...turns, timeLimitMs: Math.min(turns.timeLimitMs, recovery.timeLimitMs) }
}

/**
 * Tells `cut` when a turn is over its time limit, or has shown no progress for the stall limit. `progressAtMs` is on the
 * steady clock. Limits that change hold for what runs, within a minute. Ends after the first cut, or with the signal.
 */
export async function watchLimits(watch: {
  clock: Clock
  limits: () => { timeLimitMs: number; stallLimitMs: number }
  progressAtMs: () => number
  cut: (cut: Cut) => void
  signal: AbortSignal
}): Promise<void> {
  const { clock, cut, signal } = watch
  const startedAtMs = clock.steadyMs()
  let stoodStillMs = 0
  let excusedUntilMs = startedAtMs
  for (;;) {
    const nowMs = clock.steadyMs()
    const limits = watch.limits()
    const lifeLeftMs = startedAtMs + stoodStillMs + limits.timeLimitMs - nowMs
    const stallLeftMs = Math.max(excusedUntilMs, watch.progressAtMs()) + limits.stallLimitMs - nowMs
    if (lifeLeftMs <= 0) return cut({ kind: 'time limit', limitMs: limits.timeLimitMs })
    if (stallLeftMs <= 0) return cut({ kind: 'stalled', limitMs: limits.stallLimitMs })
    const sleepMs = Math.min(lifeLeftMs, stallLeftMs, sleepMaxMs)
    if (!(await pause(clock, Math.ceil(sleepMs), signal))) return
    const lateMs = clock.steadyMs() - nowMs - sleepMs
    if (lateMs > oversleptMs) {
      stoodStillMs += lateMs
      excusedUntilMs = clock.steadyMs()
    }
  }
}
