import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLaneOpen, type LaneCounts, quotaOf } from '../../src/lanes/plan.ts'
import { type LaneName, type LaneRules, laneNames, userLane } from '../../src/model/lanes.ts'
import { play, type SimulatedTurn, type Start, type Workload, workloads } from './simulation.ts'

/** fast-check names the seed and the smallest workload when one fails. */
const runs = { numRuns: 150, seed: 20_260_303 }

const holds = (property: (starts: Start[], left: SimulatedTurn[], workload: Workload) => void) =>
  fc.assert(
    fc.property(workloads, (workload) => {
      const { starts, left } = play(workload)
      property(starts, left, workload)
    }),
    runs,
  )

const countsBy = (turns: readonly SimulatedTurn[]): LaneCounts =>
  Object.fromEntries(laneNames.map((lane) => [lane, turns.filter((turn) => turn.lane === lane).length])) as Record<
    LaneName,
    number
  >

const runningOf = (turns: readonly SimulatedTurn[], { lane, source }: SimulatedTurn): number =>
  turns.filter((turn) => turn.lane === lane && turn.source === source).length

/** Nothing but the choice of the plan keeps it from starting. */
const canStart = (turn: SimulatedTurn, { running, rules }: Start): boolean =>
  isLaneOpen(turn.lane, countsBy(running), rules) && runningOf(running, turn) < quotaOf(turn.lane, rules)

const orderOf = ({ lane, position }: SimulatedTurn): number => (lane === 'resume' ? -position : position)
const dueAtMs = ({ lane, queuedAtMs }: SimulatedTurn, { lanes }: LaneRules): number =>
  queuedAtMs + lanes[lane].patienceMs
const ofUsers = ({ running, rules }: Start): boolean => countsBy(running)[userLane] < rules.userSlots

/** The first in the order of its lane of those that could have started. */
function oldestIn(lane: LaneName, start: Start): SimulatedTurn | undefined {
  const able = start.waiting.filter((turn) => turn.lane === lane && canStart(turn, start))
  return able.toSorted((one, other) => orderOf(one) - orderOf(other))[0]
}

/** A busy machine may take long; nothing here is about time. */
const options = { timeout: 30_000 }

describe('over random workloads', options, () => {
  it('every turn is started once, by rules that leave its lane a slot', () => {
    holds((starts, left, { arrivals }) => {
      const admitted = arrivals.reduce((sum, { count }) => sum + count, 0)
      assert.equal(new Set(starts.map(({ turn }) => turn.position)).size, admitted)
      assert.deepEqual(left, [])
    })
  })

  it('no start exceeds the slots of its lane, all slots, those of others than users, or the share of its source', () => {
    holds((starts) => {
      for (const { turn, running, rules } of starts) {
        const counts = countsBy([...running, turn])
        const total = running.length + 1
        assert.ok(counts[turn.lane] <= rules.lanes[turn.lane].concurrency)
        assert.ok(total <= rules.slots)
        assert.ok(turn.lane === userLane || total - counts[userLane] <= rules.slots - rules.userSlots)
        assert.ok(runningOf(running, turn) + 1 <= shareOf(turn.lane, rules))
      }
    })
  })

  it('while users have slots of their own left, a lane goes before them once in four starts, and only when it is due', () => {
    holds((starts) => {
      const passes = (start: Start) =>
        start.turn.lane !== userLane && ofUsers(start) && oldestIn(userLane, start) !== undefined
      for (const start of starts.filter(passes)) {
        assert.ok(dueAtMs(oldestIn(start.turn.lane, start) as SimulatedTurn, start.rules) <= start.atMs)
      }
      for (const { turn } of starts.filter((start) => start.turn.lane === userLane)) {
        const first = starts.findIndex(({ waiting }) => waiting.includes(turn))
        const waited = starts.slice(
          first,
          starts.findIndex((start) => start.turn === turn),
        )
        for (const lane of laneNames) {
          const ofBoth = waited.filter((start) => start.turn.lane === lane || start.turn.lane === userLane)
          assert.ok(ofBoth.filter((start) => start.turn.lane === lane && passes(start)).length <= ofBoth.length / 4 + 1)
        }
      }
    })
  })

  it('a turn is started within its lane by its place among those before it, whatever arrives later', () => {
    holds((starts) => {
      for (const { turn } of starts) {
        const first = starts.findIndex(({ waiting }) => waiting.includes(turn))
        const last = starts.findIndex((start) => start.turn === turn)
        const ofLane = starts.slice(first, last + 1).filter((start) => start.turn.lane === turn.lane)
        // in `resume`, where the newest goes first, what comes later may stand before it as well
        const before = new Set(
          ofLane.flatMap(({ waiting }) =>
            waiting.filter((other) => other.lane === turn.lane && orderOf(other) < orderOf(turn)),
          ),
        ).size
        const hasShare = (start: Start) => runningOf(start.running, turn) >= quotaOf(turn.lane, start.rules)
        const fourths = ofLane.filter((start) => start.starts % 4 === 3 && !hasShare(start))
        assert.ok(fourths.length <= before + 1, `${fourths.length} fourth starts, ${before} turns before it`)
        if (!ofLane.some(hasShare)) assert.ok(ofLane.length <= 4 * (before + 1))
      }
    })
  })

  it('no lane waits behind another whose oldest turn is due later', () => {
    holds((starts) => {
      for (const start of starts) {
        if (start.turn.lane === userLane && ofUsers(start)) continue
        const dueMs = dueAtMs(oldestIn(start.turn.lane, start) as SimulatedTurn, start.rules)
        for (const lane of laneNames) {
          if (lane === userLane && ofUsers(start)) continue
          const oldest = oldestIn(lane, start)
          if (oldest !== undefined) assert.ok(dueMs <= dueAtMs(oldest, start.rules), `${lane} was due before`)
        }
      }
    })
  })

  // `resume` is as urgent as its newest turn, which goes first
  it('a turn is passed over by another lane at most four times for each turn there that is due before it', () => {
    holds((starts, _left, { rules }) => {
      if (rules.length > 1) return // what is due when changes with the rules
      for (const { turn } of starts.filter((start) => start.turn.lane !== 'resume')) {
        const last = starts.findIndex((start) => start.turn === turn)
        const passing = starts
          .slice(0, last)
          .filter((start) => start.waiting.includes(turn) && canStart(turn, start) && start.turn.lane !== turn.lane)
          .filter((start) => start.turn.lane !== userLane || !ofUsers(start))
        for (const lane of laneNames) {
          const dueMs = dueAtMs(turn, rules[0]?.rules as LaneRules)
          const due = starts.filter((start) => start.turn.lane === lane && dueAtMs(start.turn, start.rules) <= dueMs)
          assert.ok(passing.filter((start) => start.turn.lane === lane).length <= 4 * (due.length + 1))
        }
      }
    })
  })

  it('the workloads reach every rule', () => {
    const seen = { users: 0, shares: 0, patience: 0, oldest: 0, changed: 0 }
    holds((starts, _left, { rules }) => {
      for (const start of starts) {
        const { turn, waiting } = start
        if (turn.lane === userLane && ofUsers(start) && waiting.some(({ lane }) => lane !== userLane)) seen.users += 1
        if (waiting.some((other) => runningOf(start.running, other) >= quotaOf(other.lane, start.rules)))
          seen.shares += 1
        if (waiting.some((other) => other.lane < turn.lane && canStart(other, start))) seen.patience += 1
        if (start.starts % 4 === 3 && waiting.length > 3) seen.oldest += 1
        if (rules.length > 1) seen.changed += 1
      }
    })
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50)
  })
})

const oneByOne: LaneRules = {
  slots: 100,
  userSlots: 0,
  sourceShare: 1,
  lanes: Object.fromEntries(
    laneNames.map((lane) => [lane, { concurrency: 1, patienceMs: 0, waitLimitMs: 1 }]),
  ) as LaneRules['lanes'],
}

describe('a source that floods its lane with 10,000 messages', options, () => {
  it('delays the first of another by no more than a fair share, whenever that comes and whoever comes later', () => {
    const property = fc.property(fc.nat(14), fc.nat(120), fc.nat(60), (others, afterMs, newcomers) => {
      const arrival = { afterMs: 0, lane: userLane, runsMs: 10 }
      const arrivals = [
        { ...arrival, source: 'flood', count: 10_000 },
        ...Array.from({ length: others }, (_, index) => ({ ...arrival, source: `busy-${index}`, count: 30 })),
        { ...arrival, afterMs, source: 'quiet', count: 1 },
        ...Array.from({ length: newcomers }, (_, index) => ({ ...arrival, source: `new-${index}`, count: 3 })),
      ]
      const { starts } = play({ arrivals, rules: [{ from: 0, rules: oneByOne }] }, 'quiet')
      const before = starts.filter(({ waiting }) => waiting.some(({ source }) => source === 'quiet')).length - 1
      const active = 1 + others
      assert.ok(before <= Math.ceil((active * 4) / 3) + 1, `${before} starts before it, of ${active} sources`)
    })
    fc.assert(property, { numRuns: 10, seed: 20_260_304, endOnFailure: true })
  })
})

const shareOf = (lane: LaneName, { lanes, sourceShare }: LaneRules) =>
  lane === 'resume' ? lanes[lane].concurrency : Math.max(1, sourceShare * lanes[lane].concurrency)

it('turns behind others of their own source start within the bound of the lane while ever more sources join', () => {
  const property = fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 4 }), (turns, joining) => {
    const arrival = { lane: userLane, runsMs: 1 }
    const newcomers = Array.from({ length: 40 * joining }, (_, index) => ({
      ...{ ...arrival, source: `new-${index}`, count: 1, afterMs: index % joining === 0 ? 1 : 0 },
    }))
    const arrivals = [{ ...arrival, afterMs: 0, source: 'early', count: turns }, ...newcomers]
    const { starts } = play({ arrivals, rules: [{ from: 0, rules: oneByOne }] })
    const early = starts.flatMap(({ turn }, index) => (turn.source === 'early' ? [index + 1] : []))
    for (const [before, startedAs] of early.entries()) assert.ok(startedAs <= 4 * (before + 1), `start ${startedAs}`)
  })
  fc.assert(property, { numRuns: 20, seed: 20_260_305 })
})
