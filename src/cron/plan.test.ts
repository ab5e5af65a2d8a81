import { describe, expect, it } from 'vitest'
import type { MissedPolicy } from '../model/jobs.ts'
import { type JobStep, planJob, problemsOfCron } from './plan.ts'
import { parseSchedule } from './schedule.ts'

const secondMs = 1_000
const minuteMs = 60_000
const beginMs = Date.parse('2026-05-01T12:00:00Z')
const rules = { missedMax: 3, lateMaxMs: 60 * secondMs }
const everyMinute = parseSchedule('* * * * *', 'UTC', beginMs)
const hourly = parseSchedule('0 * * * *', 'UTC', beginMs)

/** What happens at a time, to a job that was due next at 12:00. */
function plan(missed: MissedPolicy, afterMs: number, more: Partial<Parameters<typeof planJob>[0]> = {}): JobStep {
  const job = { missed, nextAtMs: beginMs, forgottenAtMs: 0 }
  return planJob({ job, running: false, schedule: everyMinute, nowMs: beginMs + afterMs, ...more }, rules)
}

describe.each(['skip', 'once', 'all'] as const)('a job that makes up for %s', (missed) => {
  it('starts at its time, and not a millisecond before', () => {
    expect(plan(missed, -1).kind).toBe('wait')
    expect(plan(missed, 0)).toEqual({
      kind: 'start',
      dueAtMs: beginMs,
      nextAtMs: beginMs + minuteMs,
      missed: null,
    })
  })
  it('waits for its last run', () => {
    expect(plan(missed, 90 * minuteMs, { running: true })).toEqual({
      kind: 'wait',
      because: 'its last run is still going',
    })
  })
  it('does nothing while it is switched off', () => {
    const job = { missed, nextAtMs: null, forgottenAtMs: 0 }
    expect(plan(missed, minuteMs, { job })).toEqual({ kind: 'wait', because: 'it is switched off' })
  })
  it('is due earlier again after the clock was ahead', () => {
    const job = { missed, nextAtMs: beginMs + 24 * 60 * minuteMs, forgottenAtMs: 0 }
    expect(plan(missed, 1, { job })).toEqual({ kind: 'set back', nextAtMs: beginMs + minuteMs })
    const forgetful = { ...job, forgottenAtMs: beginMs + 5 * minuteMs }
    expect(plan(missed, 1, { job: forgetful })).toEqual({ kind: 'set back', nextAtMs: beginMs + 6 * minuteMs })
  })
})

describe('missed due times', () => {
  it('are skipped when even the last of them is too long ago, at the millisecond', () => {
    const late = plan('skip', 2 * 60 * minuteMs + rules.lateMaxMs, { schedule: hourly })
    expect(late).toMatchObject({ kind: 'start', dueAtMs: beginMs + 120 * minuteMs, missed: { count: 2 } })
    const tooLate = plan('skip', 2 * 60 * minuteMs + rules.lateMaxMs + 1, { schedule: hourly })
    expect(tooLate).toMatchObject({
      kind: 'skip',
      nextAtMs: beginMs + 180 * minuteMs,
      missed: { count: 3, fromMs: beginMs, untilMs: beginMs + 120 * minuteMs },
    })
  })
  it('get one run for all of them, for the newest, however late it is', () => {
    expect(plan('once', 10 * minuteMs + 7)).toMatchObject({
      kind: 'start',
      dueAtMs: beginMs + 10 * minuteMs,
      nextAtMs: beginMs + 11 * minuteMs,
      missed: { count: 10, fromMs: beginMs, untilMs: beginMs + 9 * minuteMs },
    })
  })
  it('get a run each, the oldest first', () => {
    expect(plan('all', 2 * minuteMs)).toEqual({
      kind: 'start',
      dueAtMs: beginMs,
      nextAtMs: beginMs + minuteMs,
      missed: null,
    })
  })
  it('get a run each up to the limit, and the rest is told', () => {
    expect(plan('all', 3 * minuteMs)).toMatchObject({
      kind: 'start',
      dueAtMs: beginMs + minuteMs,
      nextAtMs: beginMs + 2 * minuteMs,
      missed: { count: 1, fromMs: beginMs, untilMs: beginMs },
    })
    expect(plan('all', 1_000 * minuteMs)).toMatchObject({
      kind: 'start',
      dueAtMs: beginMs + 998 * minuteMs,
      missed: { count: 200, untilMs: beginMs + 997 * minuteMs },
    })
  })
  it('get as many runs as are owed when they are planned one after the other', () => {
    for (const [gapMinutes, owed] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 3],
      [50, 3],
    ] as const) {
      const started: number[] = []
      let nextAtMs: number | null = beginMs
      for (;;) {
        const job = { missed: 'all' as const, nextAtMs, forgottenAtMs: 0 }
        const step = plan('all', gapMinutes * minuteMs, { job })
        if (step.kind !== 'start') break
        started.push(step.dueAtMs)
        nextAtMs = step.nextAtMs
      }
      expect(started).toHaveLength(owed)
      expect(started.at(-1)).toBe(beginMs + gapMinutes * minuteMs)
      expect(started).toEqual([...new Set(started)].sort())
    }
  })
  it('are counted to a bound, so that a year of seconds is planned at once', () => {
    const everySecond = parseSchedule('* * * * * *', 'UTC', beginMs)
    const yearMs = 365 * 24 * 60 * minuteMs
    for (const missed of ['skip', 'once', 'all'] as const) {
      expect(plan(missed, yearMs, { schedule: everySecond })).toMatchObject({ kind: 'start', missed: { count: 200 } })
    }
  })
})

it('rules that make no sense are named', () => {
  expect(problemsOfCron(rules)).toEqual([])
  expect(problemsOfCron({ missedMax: 0, lateMaxMs: -1 })).toEqual([
    expect.stringContaining('cron.missed'),
    expect.stringContaining('cron.lateMax'),
  ])
})
