import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anchorClock, type ClockMemory, clockLimits, judgeClock, observeClock } from './clock.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const startMs = 1_800_000_000_000
const seenMs = startMs - hourMs
const memory: ClockMemory = { newestMs: seenMs, notedMs: seenMs }

/** A process that starts `offMs` after what is stored, runs, and is jumped about by the wall clock alone. */
function verdictAfter(moves: readonly ({ runMs: number } | { jumpMs: number })[], known = memory, offMs = hourMs) {
  let wallMs = Math.max(known.newestMs, known.notedMs ?? 0) + offMs
  let steadyMs = 0
  let anchor = anchorClock({ wallMs, steadyMs }, known)
  for (const move of moves) {
    if ('runMs' in move) {
      wallMs += move.runMs
      steadyMs += move.runMs
    } else {
      wallMs += move.jumpMs
    }
    anchor = observeClock(anchor, { wallMs, steadyMs })
  }
  return judgeClock(anchor, { wallMs, steadyMs }, known)
}

const sane = { kind: 'sane' }
const suspect = { kind: 'suspect' }

describe('a clock', () => {
  it('is trusted when it goes on from where the store was', () => {
    expect(verdictAfter([{ runMs: dayMs }])).toEqual(sane)
    expect(verdictAfter([], memory, clockLimits.gapMs)).toEqual(sane)
  })
  it('is trusted in a store where nothing has ever happened', () => {
    expect(verdictAfter([], { newestMs: 0, notedMs: null }, startMs)).toEqual(sane)
  })
  it('is suspect after a gap of more than three days, and says when it is believed', () => {
    expect(verdictAfter([], memory, clockLimits.gapMs + 1)).toEqual({
      kind: 'suspect',
      because: expect.stringMatching(
        /3d after it was last trusted; it is 20.*Z by it now, and is believed after 1d of steady running/,
      ),
    })
  })
  it('is suspect when it is behind what is stored', () => {
    expect(verdictAfter([], memory, -clockLimits.backwardsMs)).toEqual(sane)
    expect(verdictAfter([], memory, -clockLimits.backwardsMs - 1)).toMatchObject(suspect)
  })
  it('is suspect after a jump within one process, forwards or back', () => {
    expect(verdictAfter([{ runMs: dayMs }, { jumpMs: clockLimits.jumpMs }])).toEqual(sane)
    expect(verdictAfter([{ runMs: dayMs }, { jumpMs: clockLimits.jumpMs + 1 }])).toMatchObject(suspect)
    expect(verdictAfter([{ runMs: dayMs }, { jumpMs: -clockLimits.backwardsMs - 1 }])).toMatchObject(suspect)
  })
  it('stays suspect when it jumps back to where it was, until a day of steady running', () => {
    const there = [{ jumpMs: 365 * dayMs }, { runMs: hourMs }, { jumpMs: -365 * dayMs }]
    expect(verdictAfter([...there, { runMs: dayMs - 1 }])).toMatchObject(suspect)
    expect(verdictAfter([...there, { runMs: dayMs }])).toEqual(sane)
  })
  it('is not vouched for by what this process has written with it', () => {
    const own: ClockMemory = { newestMs: startMs, notedMs: null }
    expect(
      judgeClock(anchorClock({ wallMs: startMs, steadyMs: 0 }, own), { wallMs: startMs, steadyMs: 1 }, own),
    ).toMatchObject(suspect)
    const noted: ClockMemory = { newestMs: startMs, notedMs: startMs - 365 * dayMs }
    expect(anchorClock({ wallMs: startMs, steadyMs: 0 }, noted).suspicion).not.toBeNull()
  })
  it('is not vouched for by what an earlier process has written with it', () => {
    const notedMs = startMs - 365 * dayMs
    const start = { wallMs: startMs, steadyMs: 0 }
    expect(anchorClock(start, { newestMs: startMs - hourMs, notedMs }).suspicion).not.toBeNull()
    expect(anchorClock(start, { newestMs: startMs - hourMs, notedMs: null }).suspicion).toBeNull()
  })
})

it('after any jump of more than an hour nothing is judged by it within the next day', () => {
  const jump = fc.oneof(
    fc.integer({ min: clockLimits.jumpMs + 1, max: 3_650 * dayMs }),
    fc.integer({ min: -3_650 * dayMs, max: -clockLimits.backwardsMs - 1 }),
  )
  const before = fc.nat(90 * dayMs)
  const after = fc.integer({ min: 0, max: dayMs - 1 })
  fc.assert(
    fc.property(before, jump, after, (beforeMs, jumpMs, afterMs) => {
      expect(verdictAfter([{ runMs: beforeMs }, { jumpMs }, { runMs: afterMs }])).toMatchObject(suspect)
    }),
  )
})
