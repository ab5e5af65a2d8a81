import { type LaneLimits, type LaneName, laneNames } from '../model/lanes.ts'

/** What the rules need to know of one lane. */
export interface LaneFacts {
  lane: LaneName
  running: number
  /** Is there a turn in it that nothing but a slot keeps from starting? */
  ready: boolean
}

export type ClaimPlan =
  | { kind: 'take'; from: LaneName }
  | { kind: 'wait'; because: 'nothing is ready' | 'no free slot' }

/** Which lane the next turn is taken from: the first in the order of `laneNames` with a ready turn and a free slot. */
export function planClaim(facts: readonly LaneFacts[], limits: LaneLimits): ClaimPlan {
  const ready = laneNames.flatMap((name) => facts.filter((fact) => fact.lane === name && fact.ready))
  const open = ready.find((fact) => fact.running < limits[fact.lane])
  if (open !== undefined) return { kind: 'take', from: open.lane }
  return { kind: 'wait', because: ready.length === 0 ? 'nothing is ready' : 'no free slot' }
}
