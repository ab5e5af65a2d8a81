import { type LaneName, type LaneRules, laneNames, userLane } from '../model/lanes.ts'

/** Every so many starts of a lane go to its oldest turn, whoever sent it: the bound on what others can take from it. */
const startsPerOldest = 4

/** Every so many starts go to a lane whose turn is overdue, though users wait: who starts turns slowly has users waiting all the time. */
const startsPerOverdue = 4

/** A source with a turn that nothing but a slot keeps from starting: the first such turn in the order of the lane. */
export interface WaitingSource {
  source: string
  /** Of that turn. */
  position: number
  /** When it was admitted or queued again, in milliseconds since the epoch. */
  queuedAtMs: number
}

/** What the rules need to know of one lane. */
export interface LaneFacts {
  lane: LaneName
  /** Turns of it that this process runs, by source. */
  running: ReadonlyMap<string, number>
  /** Turns that it has started since the store was made. */
  starts: number
  /** Who has gone without a start for the most starts of the lane comes first; then whose turn is older. */
  inTurn: readonly WaitingSource[]
  /** The same sources, whose turn is first in the order of the lane. Both may end after the first that has a free slot. */
  byAge: readonly WaitingSource[]
}

/** Turns that run, by lane. */
export type LaneCounts = Readonly<Record<LaneName, number>>

export type ClaimPlan =
  | { kind: 'take'; lane: LaneName; source: string; position: number }
  | { kind: 'wait'; because: 'no lane is open' | 'nothing can start' }

/**
 * Which turn starts next. Facts of all lanes in, a decision out.
 *
 * Between lanes: a user turn, while users have fewer slots than are theirs. Otherwise the open lane whose oldest
 * turn is due first, which is its patience after it was queued: no turn that is queued later than that goes before it. Where users wait
 * without an end, one start in four goes to a lane whose turn is due.
 *
 * Within a lane: the source that has gone longest without a start, counted in starts of the lane, so that of `n` sources
 * each gets one start in `n`; a source that comes back from a pause has the place of a new one. Every fourth start goes
 * to the oldest turn instead. Sources with as many running turns as their share are passed over.
 *
 * Bounds. A source's first turn starts after at most one start for each source that waits already, and a third as many
 * again. A turn with `n` unfinished turns before it in the order of its lane starts within 4 × (n + 1) starts of the
 * lane, whatever arrives later, as long as its source stays below its share.
 */
export function planClaim(facts: readonly LaneFacts[], rules: LaneRules, nowMs: number): ClaimPlan {
  const counts = countsOf(facts)
  const open = facts.filter(({ lane }) => isLaneOpen(lane, counts, rules))
  if (open.length === 0) return { kind: 'wait', because: 'no lane is open' }
  const choices = open.flatMap((lane) => choicesIn(lane, rules, nowMs))
  const ofUsers = choices.find(({ lane }) => lane === userLane)
  const [first, second] = choices.toSorted((one, other) => one.dueAtMs - other.dueAtMs || rank(one) - rank(other))
  if (ofUsers !== undefined && counts[userLane] < rules.userSlots) {
    const other = first === ofUsers ? second : first
    return take(other !== undefined && isItsTurn(other, ofUsers, nowMs) ? other : ofUsers)
  }
  return first === undefined ? { kind: 'wait', because: 'nothing can start' } : take(first)
}

/** Whether one more turn of the lane may run: by its own concurrency, by all slots, and by those kept for users. */
export function isLaneOpen(lane: LaneName, counts: LaneCounts, { lanes, slots, userSlots }: LaneRules): boolean {
  const total = laneNames.reduce((sum, name) => sum + counts[name], 0)
  const ofOthers = total - counts[userLane]
  return counts[lane] < lanes[lane].concurrency && total < slots && (lane === userLane || ofOthers < slots - userSlots)
}

/**
 * How many turns of one source may run in the lane at once. What is resumed waited under its source before, and has a budget
 * of its own.
 */
export function quotaOf(lane: LaneName, { lanes, sourceShare }: LaneRules): number {
  if (lane === 'resume') return lanes[lane].concurrency
  return Math.max(1, Math.floor(sourceShare * lanes[lane].concurrency))
}

/** Sources of the lane that have their share, and are passed over. */
export function atQuota(lane: LaneName, running: ReadonlyMap<string, number>, rules: LaneRules): string[] {
  const quota = quotaOf(lane, rules)
  return [...running].flatMap(([source, count]) => (count >= quota ? [source] : []))
}

export function countsOf(facts: readonly Pick<LaneFacts, 'lane' | 'running'>[]): LaneCounts {
  const counts = Object.fromEntries(laneNames.map((lane) => [lane, 0])) as Record<LaneName, number>
  for (const { lane, running } of facts) counts[lane] = [...running.values()].reduce((sum, count) => sum + count, 0)
  return counts
}

/** Counted in starts of both lanes, so that either brings the next one nearer. */
function isItsTurn(other: Choice, ofUsers: Choice, nowMs: number): boolean {
  return other.dueAtMs <= nowMs && (other.starts + ofUsers.starts) % startsPerOverdue === startsPerOverdue - 1
}

interface Choice {
  lane: LaneName
  /** Of the lane so far. */
  starts: number
  next: WaitingSource
  dueAtMs: number
}

/** None or one: what the lane would start, and when its oldest turn is due. */
function choicesIn({ lane, running, starts, inTurn, byAge }: LaneFacts, rules: LaneRules, nowMs: number): Choice[] {
  const quota = quotaOf(lane, rules)
  const isFree = ({ source }: WaitingSource) => (running.get(source) ?? 0) < quota
  const oldest = byAge.find(isFree)
  const longest = inTurn.find(isFree)
  if (oldest === undefined || longest === undefined) return []
  const next = starts % startsPerOldest === startsPerOldest - 1 ? oldest : longest
  const queuedAtMs = Math.min(oldest.queuedAtMs, nowMs) // it may have been queued before a clock was set back
  return [{ lane, starts, next, dueAtMs: queuedAtMs + rules.lanes[lane].patienceMs }]
}

const take = ({ lane, next: { source, position } }: Choice): ClaimPlan => ({ kind: 'take', lane, source, position })

const rank = ({ lane }: Choice): number => laneNames.indexOf(lane)
