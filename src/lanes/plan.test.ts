import { describe, expect, it } from 'vitest'
import type { LaneLimits, LaneName } from '../model/lanes.ts'
import { type LaneFacts, planClaim } from './plan.ts'

const limits: LaneLimits = { main: 2, subagent: 1, cron: 1, resume: 1, background: 1 }
const lane = (name: LaneName, running: number, ready = true): LaneFacts => ({ lane: name, running, ready })

describe('the next turn', () => {
  it('comes from the first lane that has one ready, whatever the order of the facts', () => {
    expect(planClaim([lane('background', 0), lane('cron', 0), lane('main', 0)], limits)).toEqual({
      kind: 'take',
      from: 'main',
    })
  })
  it('may take the last slot and not one more', () => {
    expect(planClaim([lane('main', 1)], limits)).toEqual({ kind: 'take', from: 'main' })
    expect(planClaim([lane('main', 2)], limits)).toEqual({ kind: 'wait', because: 'no free slot' })
  })
  it('comes from a lane behind when the one before is full', () => {
    expect(planClaim([lane('main', 2), lane('cron', 0)], limits)).toEqual({ kind: 'take', from: 'cron' })
  })
  it('is none when nothing is ready, however many slots are free', () => {
    expect(planClaim([lane('main', 0, false)], limits)).toEqual({ kind: 'wait', because: 'nothing is ready' })
    expect(planClaim([], limits)).toEqual({ kind: 'wait', because: 'nothing is ready' })
  })
  it('never comes from a lane without slots', () => {
    expect(planClaim([lane('cron', 0)], { ...limits, cron: 0 })).toEqual({ kind: 'wait', because: 'no free slot' })
  })
})
