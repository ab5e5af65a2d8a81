import type { Start } from '../model/starts.ts'
import { formatDuration } from '../model/units.ts'
import type { RecoveryBudget } from './budget.ts'

export interface StartsVerdict {
  crashLoop: boolean
  /** Starts after an unclean end that are recent enough to count, this one included. */
  unclean: number
  /** Why resumes are off; null when they are on. */
  because: string | null
}

/**
 * Too many starts after an unclean end, within the time? One whose time lies ahead was made before a clock was set back;
 * it does not count, so that no jump makes a loop that never ends.
 */
export function judgeStarts(
  facts: { starts: readonly Start[]; nowMs: number },
  budget: Pick<RecoveryBudget, 'enabled' | 'crashLoop'>,
): StartsVerdict {
  const { starts: startsMax, withinMs } = budget.crashLoop
  const counts = ({ atMs, unclean }: Start) => unclean && atMs <= facts.nowMs && facts.nowMs - atMs < withinMs
  const unclean = facts.starts.filter(counts).length
  const crashLoop = unclean >= startsMax
  const loop = `crash loop: ${unclean} starts after an unclean end within ${formatDuration(withinMs)}`
  return { crashLoop, unclean, because: !budget.enabled ? disabled : crashLoop ? loop : null }
}

/** Why nothing is resumed where the configuration says so. */
export const disabled = '`recovery.enabled` is false'

/** The starts as they would be if a process started now. */
export function withStartNow(starts: readonly Start[], nowMs: number): Start[] {
  const [newest] = starts
  const unclean = newest !== undefined && newest.endedAtMs === null
  return [{ holderId: 'if started now', pid: 0, atMs: nowMs, endedAtMs: null, unclean }, ...starts]
}
