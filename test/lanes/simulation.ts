import fc from 'fast-check'
import { planClaim } from '../../src/lanes/plan.ts'
import { type LaneName, type LaneRules, laneNames, userLane } from '../../src/model/lanes.ts'
import { emptyLanes, factsOf, noteStart } from '../../src/testing/plain/lanes.ts'

/** A turn of a session of its own. Times in milliseconds; orders are the order of admission. */
export interface SimulatedTurn {
  position: number
  lane: LaneName
  source: string
  /** Within its lane: newest first of what runs again. */
  order: number
  queuedAtMs: number
  runsMs: number
}

/** One start, and how things stood just before it. */
export interface Start {
  turn: SimulatedTurn
  atMs: number
  rules: LaneRules
  /** All that waited, the turn that starts included. */
  waiting: readonly SimulatedTurn[]
  running: readonly SimulatedTurn[]
  /** Of its lane. */
  starts: number
}

export interface Workload {
  arrivals: { afterMs: number; lane: LaneName; source: string; count: number; runsMs: number }[]
  /** From the given arrival on; the first holds from the beginning. */
  rules: { from: number; rules: LaneRules }[]
}

/**
 * Plays a workload on one process: whatever can start does, after every moment with arrivals or ends. Gives all starts in their
 * order, and what never started. It ends with the first start of the source `until`.
 */
export function play(workload: Workload, until?: string): { starts: Start[]; left: SimulatedTurn[] } {
  const lanes = emptyLanes()
  const starts: Start[] = []
  let waiting: SimulatedTurn[] = []
  let running: (SimulatedTurn & { endsMs: number })[] = []
  let isOver = false
  let rules = workload.rules[0]?.rules as LaneRules

  const startAll = (atMs: number) => {
    while (!isOver) {
      const plan = planClaim(factsOf(lanes, waiting, running), rules, atMs)
      if (plan.kind === 'wait') return
      const turn = waiting.find(({ position }) => position === plan.position) as SimulatedTurn
      starts.push({ turn, atMs, rules, waiting, running, starts: lanes[turn.lane].starts })
      waiting = waiting.filter((other) => other !== turn)
      running = [...running, { ...turn, endsMs: atMs + turn.runsMs }]
      noteStart(lanes, turn, waiting)
      isOver ||= turn.source === until
    }
  }
  const endUntil = (atMs: number) => {
    while (!isOver) {
      const endsMs = Math.min(...running.map((turn) => turn.endsMs))
      if (running.length === 0 || endsMs > atMs) return
      running = running.filter((turn) => turn.endsMs > endsMs)
      startAll(endsMs)
    }
  }

  let nowMs = 0
  let admitted = 0
  for (const [index, { afterMs, count, ...turn }] of workload.arrivals.entries()) {
    nowMs += afterMs
    endUntil(nowMs)
    waiting = [...waiting]
    rules = workload.rules.findLast(({ from }) => from <= index)?.rules ?? rules
    for (let each = 0; each < count; each += 1) {
      admitted += 1
      const order = turn.lane === 'resume' ? -admitted : admitted
      waiting.push({ ...turn, position: admitted, order, queuedAtMs: nowMs })
    }
    const isMomentOver = workload.arrivals[index + 1]?.afterMs !== 0
    if (isMomentOver) startAll(nowMs)
  }
  endUntil(Number.POSITIVE_INFINITY)
  return { starts, left: waiting }
}

const rule = fc.record({
  concurrency: fc.integer({ min: 1, max: 6 }),
  patienceMs: fc.constantFrom(0, 1, 10, 50, 200),
  waitLimitMs: fc.constant(1),
})

const rulesArbitrary: fc.Arbitrary<LaneRules> = fc
  .record({
    slots: fc.integer({ min: 1, max: 10 }),
    userShare: fc.double({ min: 0, max: 1, noNaN: true }),
    sourceShare: fc.constantFrom(0.1, 0.34, 0.5, 0.75, 1),
    lanes: fc.record({ main: rule, subagent: rule, cron: rule, resume: rule, background: rule }),
  })
  .map(({ userShare, slots, ...rest }) => ({ ...rest, slots, userSlots: Math.floor(userShare * (slots - 1)) }))

const arrival = fc.record({
  afterMs: fc.constantFrom(0, 0, 0, 1, 3, 20),
  lane: fc.oneof(
    { weight: 2, arbitrary: fc.constant(userLane) },
    { weight: 3, arbitrary: fc.constantFrom(...laneNames) },
  ),
  source: fc.constantFrom('a', 'a', 'a', 'b', 'c', 'd', 'e', 'f'),
  count: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 15 }) }),
  runsMs: fc.constantFrom(1, 2, 5, 30, 100),
})

export const workloads: fc.Arbitrary<Workload> = fc
  .record({
    arrivals: fc.array(arrival, { minLength: 1, maxLength: 40, size: 'max' }),
    rules: fc.array(rulesArbitrary, { minLength: 1, maxLength: 3 }),
  })
  .map(({ arrivals, rules }) => ({
    arrivals,
    rules: rules.map((each, index) => ({ from: Math.floor((index * arrivals.length) / rules.length), rules: each })),
  }))
