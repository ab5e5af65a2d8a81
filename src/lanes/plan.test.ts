import { describe, expect, it } from 'vitest'
import { type LaneName, type LaneRules, laneNames } from '../model/lanes.ts'
import { atQuota, isLaneOpen, type LaneFacts, planClaim, quotaOf, type WaitingSource } from './plan.ts'
import { defaultLaneRules } from './rules.ts'

const nowMs = 1_000_000

const rule = (concurrency: number, patienceMs: number) => ({ concurrency, patienceMs, waitLimitMs: 1 })
const rules: LaneRules = {
  slots: 4,
  userSlots: 2,
  sourceShare: 0.5,
  lanes: {
    main: rule(4, 0),
    subagent: rule(2, 100),
    cron: rule(2, 200),
    resume: rule(1, 300),
    background: rule(1, 400),
  },
}

/** A turn of `source` that was queued `agoMs` ago. */
const turn = (source: string, position: number, agoMs = 0): WaitingSource => ({
  source,
  position,
  queuedAtMs: nowMs - agoMs,
})

function lane(name: LaneName, waiting: WaitingSource[], more: Partial<LaneFacts> & { runs?: [string, number][] } = {}) {
  const { runs = [], ...rest } = more
  const byAge = waiting.toSorted((one, other) => one.position - other.position)
  return { lane: name, running: new Map(runs), starts: 0, inTurn: waiting, byAge, ...rest } satisfies LaneFacts
}

const nothing = { kind: 'wait', because: 'nothing can start' }
const closed = { kind: 'wait', because: 'no lane is open' }
const takes = (facts: LaneFacts[], given = rules) => {
  const plan = planClaim(facts, given, nowMs)
  return plan.kind === 'take' ? plan.position : null
}

describe('between lanes', () => {
  it('nothing starts where nothing waits, however many slots are free', () => {
    expect(
      planClaim(
        laneNames.map((name) => lane(name, [])),
        rules,
        nowMs,
      ),
    ).toEqual(nothing)
  })

  it('a lane whose turns were queued before a clock was set back does not wait for that time to come', () => {
    const ahead = turn('a', 1, -1_000_000)
    expect(takes([lane('cron', [ahead]), lane('background', [turn('b', 2)])])).toBe(1)
  })

  it('the last slot of a lane is taken, and not one more', () => {
    expect(takes([lane('cron', [turn('a', 1)], { runs: [['b', 1]] })])).toBe(1)
    expect(takes([lane('cron', [turn('a', 1)], { runs: [['b', 2]] })])).toBe(null)
  })

  it('the last of all slots is taken, and not one more', () => {
    const subagents = (count: number) => lane('subagent', [], { runs: [['c', count]] })
    const main = lane('main', [turn('a', 1)], { runs: [['b', 2]] })
    expect(takes([main, subagents(1)])).toBe(1)
    const full = [main, subagents(2), lane('cron', []), lane('resume', []), lane('background', [])]
    expect(planClaim(full, rules, nowMs)).toEqual(closed)
  })

  it('others leave the slots of users alone, also while users leave them empty', () => {
    const cron = lane('cron', [turn('a', 1)])
    expect(takes([cron, lane('subagent', [], { runs: [['b', 1]] })])).toBe(1)
    expect(takes([cron, lane('subagent', [], { runs: [['b', 2]] })])).toBe(null)
  })

  it('a user turn goes before one that is long overdue while users have slots of their own left', () => {
    const overdue = lane('background', [turn('a', 1, 1_000_000)])
    const user = (running: number) => lane('main', [turn('b', 2)], { runs: [['c', running]] })
    expect(takes([overdue, user(0)])).toBe(2)
    expect(takes([overdue, user(1)])).toBe(2)
    expect(takes([overdue, user(2)])).toBe(1)
  })

  it('one start in four goes to what is due, however many users wait', () => {
    const others = (agoMs: number, starts: number) => lane('resume', [turn('a', 1, agoMs)], { starts })
    const users = (starts: number) => lane('main', [turn('b', 2, 1_000)], { starts })
    let [ofUsers, ofOthers] = [0, 0]
    for (let start = 0; start < 40; start += 1) {
      if (takes([others(300, ofOthers), users(ofUsers)]) === 1) ofOthers += 1
      else ofUsers += 1
    }
    expect([ofUsers, ofOthers]).toEqual([30, 10])
    expect(takes([others(299, 0), users(3)]), 'not before it is due').toBe(2)
  })

  it('a lane with patience goes first from the millisecond on at which it is due before the others', () => {
    const background = (agoMs: number) => lane('background', [turn('a', 1, agoMs)])
    const subagent = lane('subagent', [turn('b', 2, 0)]) // due in 100 ms
    expect(takes([background(299), subagent])).toBe(2)
    expect(takes([background(300), subagent])).toBe(2) // the same moment: the higher class
    expect(takes([background(301), subagent])).toBe(1)
  })

  it('a lane is as urgent as its oldest turn, though another of its turns is next', () => {
    const cron = lane('cron', [turn('young', 9, 0), turn('old', 1, 500)], { starts: 0 })
    expect(takes([cron, lane('subagent', [turn('b', 5, 50)])])).toBe(9)
  })

  it('a lane without any slot never starts a turn', () => {
    const shut = { ...rules, lanes: { ...rules.lanes, cron: rule(0, 0) } }
    expect(takes([lane('cron', [turn('a', 1, 9_999)])], shut)).toBe(null)
  })

  it('is open at each of its bounds as the rules say', () => {
    const counts = (more: Partial<Record<LaneName, number>>) => ({
      ...{ main: 0, subagent: 0, cron: 0, resume: 0, background: 0 },
      ...more,
    })
    expect(isLaneOpen('main', counts({ main: 3 }), rules)).toBe(true)
    expect(isLaneOpen('main', counts({ main: 4 }), rules)).toBe(false)
    expect(isLaneOpen('main', counts({ main: 2, cron: 2 }), rules)).toBe(false)
    expect(isLaneOpen('resume', counts({ cron: 1 }), rules)).toBe(true)
    expect(isLaneOpen('resume', counts({ cron: 1, background: 1 }), rules)).toBe(false)
    expect(isLaneOpen('resume', counts({ main: 4 }), rules)).toBe(false)
  })
})

describe('within a lane', () => {
  it('the source goes that has gone longest without a start', () => {
    expect(takes([lane('main', [turn('a', 7), turn('b', 3)])])).toBe(7)
  })

  it.each([
    [0, 7],
    [1, 7],
    [2, 7],
    [3, 3],
    [4, 7],
    [7, 3],
  ])('after %i starts the next is turn %i: each fourth is the oldest', (starts, position) => {
    expect(takes([lane('main', [turn('a', 7), turn('b', 3)], { starts })])).toBe(position)
  })

  it('a source with its share is passed over, in its turn and as the oldest', () => {
    const waiting = [turn('a', 1), turn('b', 2)]
    for (const starts of [0, 3]) {
      expect(takes([lane('main', waiting, { starts, runs: [['a', 1]] })])).toBe(1)
      expect(takes([lane('main', waiting, { starts, runs: [['a', 2]] })])).toBe(2)
    }
    expect(planClaim([lane('main', [turn('a', 1)], { runs: [['a', 2]] })], rules, nowMs)).toEqual(nothing)
  })

  it('a lane whose sources all have their share hides no other lane', () => {
    const main = lane('main', [turn('a', 1)], { runs: [['a', 2]] })
    expect(takes([main, lane('cron', [turn('a', 2)])])).toBe(2)
  })

  it('a source has at least one slot, and never more than its share', () => {
    const shared = (sourceShare: number) => quotaOf('main', { ...rules, sourceShare })
    expect([0.01, 0.25, 0.49, 0.5, 0.74, 0.75, 1].map(shared)).toEqual([1, 1, 1, 2, 2, 3, 4])
  })

  it('names the sources that are passed over', () => {
    const running = new Map([
      ['a', 2],
      ['b', 1],
      ['c', 3],
    ])
    expect(atQuota('main', running, rules)).toEqual(['a', 'c'])
    expect(atQuota('main', new Map(), rules)).toEqual([])
  })
})

it('the default rules leave a second source a slot in every lane, and let all of one source resume', () => {
  expect(quotaOf('resume', defaultLaneRules)).toBe(defaultLaneRules.lanes.resume.concurrency)
  for (const name of laneNames.filter((each) => each !== 'resume')) {
    expect(quotaOf(name, defaultLaneRules)).toBeLessThan(defaultLaneRules.lanes[name].concurrency)
  }
})
