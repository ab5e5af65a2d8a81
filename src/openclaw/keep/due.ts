import type { Schedule } from '../../cron/schedule.ts'

export const keeperTasks = ['locks', 'clean', 'archives'] as const
export type KeeperTask = (typeof keeperTasks)[number]

/** When a task is due: every so often (ms), or at the times of a cron expression. */
export type Pace = { everyMs: number } | { schedule: Schedule }

export type Paces = Record<KeeperTask, Pace>

/** How the last run of a task on a home went. */
export interface LastRun {
  startedAtMs: number
  endedAtMs: number
  ok: boolean
}

export type LastRuns = Partial<Record<KeeperTask, LastRun>>

/** A keeper works at most one part in five of the time, however large a home is. */
const restForWork = 4

/**
 * When this task may start next; never before the last one has had its rest. A first run is due at once for locks and cleaning, and
 * at its own time for a schedule. A last run in the future is of a clock that was wrong: it is not waited for.
 */
export function nextStart(pace: Pace, last: LastRun | undefined, nowMs: number): number {
  const known = last !== undefined && last.startedAtMs <= nowMs ? last : undefined
  if (known === undefined) return 'everyMs' in pace ? nowMs : (pace.schedule.after(nowMs) ?? Number.POSITIVE_INFINITY)
  const due =
    'everyMs' in pace
      ? known.startedAtMs + pace.everyMs
      : (pace.schedule.after(known.startedAtMs) ?? Number.POSITIVE_INFINITY)
  return Math.max(due, known.endedAtMs + restForWork * (known.endedAtMs - known.startedAtMs))
}

/** Tasks that are due now, in the order in which they are to run. */
export function dueTasks(paces: Paces, last: LastRuns, nowMs: number): KeeperTask[] {
  return keeperTasks.filter((task) => nextStart(paces[task], last[task], nowMs) <= nowMs)
}
