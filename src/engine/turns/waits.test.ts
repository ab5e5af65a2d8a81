import { describe, expect, it } from 'vitest'
import { waitCauses } from '../../model/turns.ts'
import { type WaitFacts, waitsOf } from './waits.ts'

const facts = (turn: Partial<WaitFacts['turn']> = {}, more: Partial<WaitFacts> = {}): WaitFacts => ({
  turn: { admittedAtMs: 1_000, readyAtMs: 1_000, blockedBy: null, attempts: 1, lane: 'main', ...turn },
  claimedAtMs: 1_500,
  interruptedAtMs: null,
  laneFullUntilMs: null,
  readOnlyMs: () => 0,
  ...more,
})
const zero = Object.fromEntries(waitCauses.map((cause) => [cause, 0]))

describe('how long a turn waited', () => {
  it('is told for every cause, and is nobody’s fault when nothing stood before it', () => {
    expect(waitsOf(facts())).toEqual(zero)
  })
  it('is its session’s until it was ready', () => {
    expect(waitsOf(facts({ readyAtMs: 1_400, blockedBy: 'session' }))).toEqual({ ...zero, session: 400 })
  })
  it('is the lane’s from there until a slot came free', () => {
    const found = waitsOf(facts({ readyAtMs: 1_100, blockedBy: 'session' }, { laneFullUntilMs: 1_450 }))
    expect(found).toEqual({ ...zero, session: 100, lane: 350 })
  })
  it('is not the lane’s when it was full only before', () => {
    expect(waitsOf(facts({ readyAtMs: 1_100 }, { laneFullUntilMs: 1_050 })).lane).toBe(0)
  })
  it('is the disk’s while the store could not write', () => {
    expect(waitsOf(facts({}, { readOnlyMs: () => 300, laneFullUntilMs: 1_500 }))).toEqual({
      ...zero,
      disk: 300,
      lane: 200,
    })
  })
  it('is the recovery’s for a turn that runs again', () => {
    expect(waitsOf(facts({ attempts: 2 }, { interruptedAtMs: 1_200 }))).toEqual({ ...zero, recovery: 300 })
  })
  it('would be told as compaction’s, if the store had ever named it', () => {
    expect(waitsOf(facts({ readyAtMs: 1_400, blockedBy: 'compaction' })).compaction).toBe(400)
  })
  it('is never negative, though the wall clock went back', () => {
    const found = waitsOf(facts({ admittedAtMs: 9_000, readyAtMs: 9_100 }))
    expect(Object.values(found).every((ms) => ms >= 0)).toBe(true)
  })
})
