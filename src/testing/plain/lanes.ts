import type { LaneFacts, WaitingSource } from '../../lanes/plan.ts'
import { type LaneName, laneNames } from '../../model/lanes.ts'

/** Of each lane: turns started so far, and since how many starts each of its sources has gone without one. */
export type PlainLanes = Record<LaneName, { starts: number; since: Map<string, number> }>

/** A turn that nothing but a slot keeps from starting. */
export interface PlainReady extends WaitingSource {
  lane: LaneName
  /** Within its lane: the least goes first. */
  order: number
}

export function emptyLanes(): PlainLanes {
  return Object.fromEntries(laneNames.map((lane) => [lane, { starts: 0, since: new Map() }])) as PlainLanes
}

/** Everything that the rules may want to know. A source that was not there at the lane's last start begins to wait now. */
export function factsOf(
  lanes: PlainLanes,
  ready: readonly PlainReady[],
  running: readonly { lane: LaneName; source: string }[],
): LaneFacts[] {
  return laneNames.map((lane) => {
    const { starts, since } = lanes[lane]
    const byAge = firstOfEach(inOrder(ready.filter((turn) => turn.lane === lane)))
    for (const { source } of byAge) if (!since.has(source)) since.set(source, starts)
    const sinceOf = ({ source }: WaitingSource) => since.get(source) as number
    const sources = running.filter((turn) => turn.lane === lane).map(({ source }) => source)
    return {
      lane,
      running: new Map(sources.map((source) => [source, sources.filter((each) => each === source).length])),
      starts,
      inTurn: byAge.toSorted((one, other) => sinceOf(one) - sinceOf(other)),
      byAge,
    }
  })
}

/** `ready` are the turns that can start afterwards: a source without any loses its place. */
export function noteStart(
  lanes: PlainLanes,
  started: { lane: LaneName; source: string },
  ready: readonly PlainReady[],
): void {
  const lane = lanes[started.lane]
  lane.starts += 1
  lane.since.set(started.source, lane.starts)
  const left = new Set(ready.filter((turn) => turn.lane === started.lane).map(({ source }) => source))
  for (const source of lane.since.keys()) if (!left.has(source)) lane.since.delete(source)
}

const inOrder = (turns: PlainReady[]) => turns.toSorted((one, other) => one.order - other.order)

function firstOfEach(turns: PlainReady[]): PlainReady[] {
  const seen = new Set<string>()
  return turns.filter(({ source }) => !seen.has(source) && seen.add(source))
}
