import { describe, expect, it } from 'vitest'
import { canReset, planReset, problemsOfReset, type ResetFacts, type ResetRule } from './reset.ts'

const at = (text: string) => Date.parse(text)
const hourMs = 3_600_000
const off: ResetRule = {
  mode: 'off',
  atHour: 4,
  timeZone: 'Europe/Vienna',
  idleMs: hourMs,
  ageMaxMs: null,
  idleMaxMs: null,
}
const daily: ResetRule = { ...off, mode: 'daily' }
const idle: ResetRule = { ...off, mode: 'idle' }

/** A conversation that began and was last active at these times. */
function session(began: string, active = began, more: Partial<ResetFacts> = {}): ResetFacts {
  return { transcript: 1, head: 2, transcriptAtMs: at(began), activeAtMs: at(active), ...more }
}

describe('a daily reset', () => {
  it('comes with the first message after the hour, at the millisecond', () => {
    const yesterday = session('2026-05-01T10:00:00Z', '2026-05-02T01:59:00Z')
    expect(planReset(yesterday, daily, at('2026-05-02T01:59:59.999Z'))).toBeNull()
    expect(planReset(yesterday, daily, at('2026-05-02T02:00:00Z'))).toBe('daily reset at 04:00 Europe/Vienna')
    expect(planReset(yesterday, daily, at('2026-05-09T12:00:00Z'))).toBe('daily reset at 04:00 Europe/Vienna')
  })
  it('comes once: what began at the hour or after it goes on', () => {
    expect(planReset(session('2026-05-02T02:00:00Z'), daily, at('2026-05-02T02:00:00Z'))).toBeNull()
    expect(planReset(session('2026-05-02T02:00:00Z'), daily, at('2026-05-03T01:59:59Z'))).toBeNull()
  })
  it('also comes to a conversation that was held through the hour', () => {
    const long = session('2026-05-01T22:00:00Z', '2026-05-02T02:10:00Z')
    expect(planReset(long, daily, at('2026-05-02T02:11:00Z'))).not.toBeNull()
  })
  it('keeps to the hour when the clocks change', () => {
    const spring = session('2026-03-28T12:00:00Z')
    expect(planReset(spring, daily, at('2026-03-29T01:59:59Z'))).toBeNull()
    expect(planReset(spring, daily, at('2026-03-29T02:00:00Z'))).not.toBeNull()
    const autumn = session('2026-10-24T12:00:00Z')
    expect(planReset(autumn, daily, at('2026-10-25T02:59:59Z'))).toBeNull()
    expect(planReset(autumn, daily, at('2026-10-25T03:00:00Z'))).not.toBeNull()
  })
  it('comes at an hour that spring leaves out, and once at one that autumn has twice', () => {
    const atTwo = { ...daily, atHour: 2 }
    const spring = session('2026-03-28T12:00:00Z')
    expect(planReset(spring, atTwo, at('2026-03-29T00:59:59Z'))).toBeNull()
    expect(planReset(spring, atTwo, at('2026-03-29T01:00:00Z'))).not.toBeNull()
    expect(planReset(session('2026-10-25T00:00:00Z'), atTwo, at('2026-10-25T01:30:00Z'))).toBeNull()
  })
})

describe('a reset after a pause', () => {
  it('comes when the pause is longer, at the millisecond, however old the transcript is', () => {
    const old = session('2020-01-01T00:00:00Z', '2026-05-01T00:00:00Z')
    expect(planReset(old, idle, at('2026-05-01T01:00:00Z'))).toBeNull()
    expect(planReset(old, idle, at('2026-05-01T01:00:00.001Z'))).toBe('idle for more than 1h')
  })
})

describe('a binding', () => {
  it('ends by idle time and by age, whatever the mode', () => {
    const bound = { ...off, ageMaxMs: 48 * hourMs, idleMaxMs: 24 * hourMs }
    const began = session('2026-05-01T00:00:00Z', '2026-05-02T00:00:00Z')
    expect(planReset(began, bound, at('2026-05-03T00:00:00Z'))).toBeNull()
    expect(planReset(began, bound, at('2026-05-03T00:00:00.001Z'))).toBe('idle for more than 1d')
    const busy = session('2026-05-01T00:00:00Z', '2026-05-03T00:00:00Z')
    expect(planReset(busy, bound, at('2026-05-03T00:00:00.001Z'))).toBe('older than 2d')
  })
})

describe('nothing is reset', () => {
  const all = { ...daily, ageMaxMs: 1, idleMaxMs: 1 }
  const nowMs = at('2026-05-09T12:00:00Z')
  it('where no rule is on', () => {
    expect([off, daily, idle, { ...off, ageMaxMs: 1 }, { ...off, idleMaxMs: 1 }].map(canReset)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ])
    expect(planReset(session('2020-01-01T00:00:00Z'), off, nowMs)).toBeNull()
  })
  it('where nothing was said, or nothing since the last reset', () => {
    const began = '2020-01-01T00:00:00Z'
    expect(planReset(session(began, began, { head: 0 }), all, nowMs)).toBeNull()
    expect(planReset(session(began, began, { transcript: 2, head: 1 }), all, nowMs)).toBeNull()
    expect(planReset(session(began, began, { transcript: 2, head: 2 }), all, nowMs)).not.toBeNull()
  })
  it('by dates in the future, which a wrong clock has left', () => {
    expect(planReset(session('2027-01-01T00:00:00Z'), all, nowMs)).toBeNull()
  })
})

describe('a rule that makes no sense', () => {
  it.each([
    [{ mode: 'hourly' as 'daily' }, 'sessions.reset.mode'],
    [{ atHour: 24 }, 'sessions.reset.atHour'],
    [{ atHour: -1 }, 'sessions.reset.atHour'],
    [{ atHour: 4.5 }, 'sessions.reset.atHour'],
    [{ idleMs: 0 }, 'sessions.reset.idle'],
    [{ idleMs: Number.NaN }, 'sessions.reset.idle'],
    [{ ageMaxMs: -1 }, 'sessions.bindings.age'],
    [{ idleMaxMs: 0 }, 'sessions.bindings.idle'],
  ])('%o is named', (more, key) => {
    expect(problemsOfReset({ ...daily, ...more })).toEqual([expect.stringContaining(key)])
  })
  it('is none of the usual ones', () => expect([off, daily, idle].flatMap(problemsOfReset)).toEqual([]))
})
