import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/clock.ts'
import { watchLimits } from './limits.ts'
import type { Cut } from './verdict.ts'

function watched(limits: { timeLimitMs: number; stallLimitMs: number }) {
  const clock = new ManualClock()
  const stop = new AbortController()
  const cuts: Cut[] = []
  let progressAtMs = clock.steadyMs()
  const ended = watchLimits({
    clock,
    limits: () => limits,
    progressAtMs: () => progressAtMs,
    cut: (cut) => cuts.push(cut),
    signal: stop.signal,
  })
  const progress = () => {
    progressAtMs = clock.steadyMs()
  }
  return { clock, cuts, stop, ended, progress }
}

describe('the limits of a turn', () => {
  it('call one stalled that shows no progress, at the millisecond', async () => {
    const { clock, cuts } = watched({ timeLimitMs: 100_000, stallLimitMs: 1_000 })
    await clock.advance(999)
    expect(cuts).toEqual([])
    await clock.advance(1)
    expect(cuts).toEqual([{ kind: 'stalled', limitMs: 1_000 }])
  })
  it('never call one stalled that shows progress all the time', async () => {
    const { clock, cuts, progress } = watched({ timeLimitMs: 100_000, stallLimitMs: 1_000 })
    for (let round = 0; round < 100; round += 1) {
      progress()
      await clock.advance(999)
    }
    expect(cuts).toEqual([])
  })
  it('end it at its time limit, progress or not', async () => {
    const { clock, cuts, progress } = watched({ timeLimitMs: 5_000, stallLimitMs: 1_000 })
    for (let round = 0; round < 10; round += 1) {
      progress()
      await clock.advance(500)
    }
    expect(cuts).toEqual([{ kind: 'time limit', limitMs: 5_000 }])
  })
  it('hold for years', async () => {
    const yearMs = 365 * 86_400_000
    const { clock, cuts, progress, stop, ended } = watched({ timeLimitMs: yearMs, stallLimitMs: yearMs })
    await clock.advance(3 * 60_000)
    progress()
    expect(cuts).toEqual([])
    stop.abort()
    await ended
  })
  it('end with the turn', async () => {
    const { clock, cuts, stop, ended } = watched({ timeLimitMs: 5_000, stallLimitMs: 1_000 })
    stop.abort()
    await ended
    await clock.advance(10_000)
    expect(cuts).toEqual([])
  })
})
