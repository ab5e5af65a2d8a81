import { describe, expect, it } from 'vitest'
import { parseSchedule } from '../../cron/schedule.ts'
import { type Cause, planAlerts, type Raised } from './alerts.ts'
import { dueTasks, nextStart, type Paces } from './due.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const nowMs = Date.UTC(2026, 10, 26, 3, 0)
const daily = parseSchedule('17 4 * * *', 'UTC', nowMs)
const paces: Paces = {
  locks: { everyMs: 5 * minuteMs },
  clean: { everyMs: 6 * hourMs },
  archives: { schedule: daily },
}
const ran = (startedAtMs: number, tookMs = 0) => ({ startedAtMs, endedAtMs: startedAtMs + tookMs, ok: true })

describe('what is due', () => {
  it('is looking at once, and the daily part at its hour', () => {
    expect(dueTasks(paces, {}, nowMs)).toEqual(['locks', 'clean'])
    expect(nextStart(paces.archives, undefined, nowMs)).toBe(Date.UTC(2026, 10, 26, 4, 17))
  })
  it('is at the millisecond, not before', () => {
    const last = { locks: ran(nowMs), clean: ran(nowMs), archives: ran(nowMs) }
    expect(dueTasks(paces, last, nowMs + 5 * minuteMs - 1)).toEqual([])
    expect(dueTasks(paces, last, nowMs + 5 * minuteMs)).toEqual(['locks'])
  })
  it('is caught up when its hour was slept through', () => {
    const last = { locks: ran(nowMs), clean: ran(nowMs), archives: ran(nowMs - 24 * hourMs) }
    expect(dueTasks(paces, last, nowMs)).toEqual(['archives'])
  })
  it('waits four times as long as the last one took', () => {
    expect(nextStart(paces.locks, ran(nowMs, 4 * minuteMs), nowMs)).toBe(nowMs + 20 * minuteMs)
  })
  it('does not wait for a run that a wrong clock put into the future', () => {
    expect(dueTasks(paces, { locks: ran(nowMs + 1), clean: ran(nowMs), archives: ran(nowMs) }, nowMs)).toEqual([
      'locks',
    ])
  })
})

describe('alerts', () => {
  const cause = (subject: string, code = 'LOCK_OVERDUE'): Cause => ({ code, home: '/h', subject, text: 'a lock' })
  const locksOnly = ({ code }: Cause) => code.startsWith('LOCK')
  const nothing: Raised = new Map()

  it('are told once while the cause lasts, and once when it is over', () => {
    const first = planAlerts(nothing, [cause('a')], locksOnly, 1)
    expect(first.alerts).toEqual([{ ...cause('a'), state: 'raised', sinceMs: 1 }])
    const second = planAlerts(first.raised, [cause('a')], locksOnly, 2)
    expect(second.alerts).toEqual([])
    const third = planAlerts(second.raised, [], locksOnly, 3)
    expect(third.alerts).toEqual([{ ...cause('a'), state: 'over', sinceMs: 1 }])
    expect(planAlerts(third.raised, [], locksOnly, 4).alerts).toEqual([])
  })
  it('of another task are not called over', () => {
    const { raised } = planAlerts(nothing, [cause('', 'INDEX_UNREADABLE')], () => true, 1)
    expect(planAlerts(raised, [], locksOnly, 2)).toEqual({ raised, alerts: [] })
  })
  it('of one kind become one when there are many', () => {
    const many = Array.from({ length: 181 }, (_, index) => cause(`${index}`))
    const { alerts, raised } = planAlerts(nothing, many, locksOnly, 1)
    expect(alerts.map(({ text }) => text)).toEqual(['a lock (and 180 more)'])
    expect(raised.size).toBe(181)
  })
})
