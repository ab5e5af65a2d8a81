import type { Job, Missed } from '../model/jobs.ts'
import type { Schedule } from './schedule.ts'

/** What the plan needs to know of one job. Times in milliseconds since the epoch. */
export interface JobFacts {
  job: Pick<Job, 'missed' | 'nextAtMs' | 'forgottenAtMs'>
  /** Is the turn of its last run still unsettled? */
  running: boolean
  schedule: Schedule
  nowMs: number
}

export interface CronRules {
  /** Runs that `all` makes up for after one gap. */
  missedMax: number
  /** A run that starts this late was not missed. */
  lateMaxMs: number
}

/** Values that make no sense, each as `key: what`. */
export function problemsOfCron({ missedMax, lateMaxMs }: CronRules): string[] {
  const problems: string[] = []
  const isWhole = (found: number, least: number) => Number.isSafeInteger(found) && found >= least
  if (!isWhole(missedMax, 1)) problems.push(`cron.missed: found ${missedMax}, allowed is a whole number from 1`)
  if (!isWhole(lateMaxMs, 0)) problems.push(`cron.lateMax: found ${lateMaxMs}, allowed is from 0`)
  return problems
}

export type JobStep =
  /** A run for this due time; the job is then next due at `nextAtMs`, which may have passed. */
  | { kind: 'start'; dueAtMs: number; nextAtMs: number | null; missed: Missed | null }
  | { kind: 'skip'; nextAtMs: number | null; missed: Missed }
  /** The clock was ahead when the next due time was set: there is an earlier one that nothing was done about. */
  | { kind: 'set back'; nextAtMs: number }
  | { kind: 'wait'; because: 'it is switched off' | 'it is not due' | 'its last run is still going' }

/** Counting costs a tenth of a millisecond each; a larger gap counts as this. */
const countMax = 200

/** Facts and rules in, one step out. A due time is the identity of a run: whether it was started already, the store knows. */
export function planJob(facts: JobFacts, rules: CronRules): JobStep {
  const { job, running, schedule, nowMs } = facts
  const { nextAtMs } = job
  if (nextAtMs === null) return { kind: 'wait', because: 'it is switched off' }
  if (nextAtMs > nowMs) return planEarly(nextAtMs, facts)
  if (running) return { kind: 'wait', because: 'its last run is still going' }
  switch (job.missed) {
    case 'skip': {
      const dueAtMs = newest(schedule, nextAtMs, nowMs)
      const late = nowMs - dueAtMs > rules.lateMaxMs
      if (!late) return startAt(dueAtMs, schedule.after(nowMs), 'nothing could start then', nextAtMs, schedule)
      const because = `nothing could start within ${rules.lateMaxMs} ms, and missed runs are skipped`
      const missed = missedBetween(schedule, nextAtMs, schedule.after(dueAtMs) ?? nowMs + 1, because)
      return { kind: 'skip', nextAtMs: schedule.after(nowMs), missed: missed as Missed }
    }
    case 'once':
      return startAt(
        newest(schedule, nextAtMs, nowMs),
        schedule.after(nowMs),
        'one run stands for all of them',
        nextAtMs,
        schedule,
      )
    case 'all': {
      const dueAtMs = oldestOwed(schedule, nextAtMs, nowMs, rules.missedMax)
      const because = `more than ${rules.missedMax} runs were missed`
      return startAt(dueAtMs, schedule.after(dueAtMs), because, nextAtMs, schedule)
    }
  }
}

function planEarly(nextAtMs: number, { job, schedule, nowMs }: JobFacts): JobStep {
  const firstAtMs = schedule.after(Math.max(nowMs, job.forgottenAtMs))
  if (firstAtMs !== null && firstAtMs < nextAtMs) return { kind: 'set back', nextAtMs: firstAtMs }
  return { kind: 'wait', because: 'it is not due' }
}

function startAt(
  dueAtMs: number,
  nextAtMs: number | null,
  because: string,
  firstAtMs: number,
  schedule: Schedule,
): JobStep {
  return { kind: 'start', dueAtMs, nextAtMs, missed: missedBetween(schedule, firstAtMs, dueAtMs, because) }
}

/** The newest due time that has passed, which is `nextAtMs` unless others have passed as well. */
function newest(schedule: Schedule, nextAtMs: number, nowMs: number): number {
  return Math.max(nextAtMs, schedule.upTo(nowMs, 1)[0] ?? nextAtMs)
}

/** The first due time that still gets a run of its own when at most `missedMax` do. */
function oldestOwed(schedule: Schedule, nextAtMs: number, nowMs: number, missedMax: number): number {
  const atMost = (nowMs - nextAtMs) / 1_000 + 1 // no expression is due more often than every second
  if (atMost <= missedMax) return nextAtMs
  return Math.max(nextAtMs, schedule.upTo(nowMs, missedMax).at(-1) ?? nextAtMs)
}

/** Due times from `fromMs`, which is one, up to and without `beforeMs`. */
function missedBetween(schedule: Schedule, fromMs: number, beforeMs: number, because: string): Missed | null {
  let count = 0
  let at: number | null = fromMs
  for (; at !== null && at < beforeMs && count < countMax; at = schedule.after(at)) count += 1
  if (count === 0) return null
  return { count, fromMs, untilMs: Math.max(fromMs, schedule.upTo(beforeMs - 1, 1)[0] ?? fromMs), because }
}
