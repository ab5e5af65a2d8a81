import { describe, expect, it } from 'vitest'
import type { Start } from '../model/starts.ts'
import { judgeStarts, withStartNow } from './starts.ts'

const nowMs = 1_750_000_000_000
const withinMs = 5 * 60_000
const budget = { enabled: true, crashLoop: { starts: 3, withinMs } }

/** Starts so long ago, newest first. */
const starts = (...agoMs: number[]): Start[] =>
  agoMs.map((ago, at) => ({ holderId: `h${at}`, pid: 1, atMs: nowMs - ago, endedAtMs: null, unclean: true }))
const judge = (...agoMs: number[]) => judgeStarts({ starts: starts(...agoMs), nowMs }, budget)

describe('a crash loop', () => {
  it('is three unclean starts within the time, and not two', () => {
    expect(judge(0, 10)).toEqual({ crashLoop: false, unclean: 2, because: null })
    expect(judge(0, 10, 20)).toEqual({
      crashLoop: true,
      unclean: 3,
      because: 'crash loop: 3 starts after an unclean end within 5m',
    })
  })
  it('is over for a start when the time has passed, to the millisecond', () => {
    expect(judge(0, 10, withinMs - 1).crashLoop).toBe(true)
    expect(judge(0, 10, withinMs).crashLoop).toBe(false)
  })
  it('is not made of clean starts', () => {
    const clean = starts(0, 10, 20).map((start) => ({ ...start, unclean: false }))
    expect(judgeStarts({ starts: clean, nowMs }, budget)).toMatchObject({ crashLoop: false, unclean: 0 })
  })
  it('is not made by a clock that was set back: starts that lie ahead do not count', () => {
    expect(judge(0, -1, -2, -86_400_000)).toMatchObject({ crashLoop: false, unclean: 1 })
  })
})

it('says that resumes are off where the configuration says so', () => {
  expect(judgeStarts({ starts: [], nowMs }, { ...budget, enabled: false }).because).toBe('`recovery.enabled` is false')
})

describe('a start that is only thought of', () => {
  it('is unclean when the last one has no end', () => {
    expect(withStartNow(starts(10), nowMs)[0]).toMatchObject({ atMs: nowMs, unclean: true })
    expect(withStartNow([{ ...(starts(10)[0] as Start), endedAtMs: nowMs - 5 }], nowMs)[0]?.unclean).toBe(false)
    expect(withStartNow([], nowMs)[0]?.unclean).toBe(false)
  })
})
