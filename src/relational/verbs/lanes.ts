import { atQuota, countsOf, isLaneOpen, type LaneFacts, planClaim, type WaitingSource } from '../../lanes/plan.ts'
import { type LaneName, type LaneRules, laneNames } from '../../model/lanes.ts'
import { laneSql } from '../statements/lanes.ts'
import { all, first, type Steps, together, write } from '../steps.ts'

/** Rows of sources that have nothing left, deleted with each start; a start leaves one at most. */
const goneMax = 8

type Runners = Pick<LaneFacts, 'lane' | 'running'>

/** Others are at all turns that could start; the claim is to be made again. Never where one process writes alone. */
export class TurnsTaken extends Error {}

/** The position of the turn that the lane rules choose for this holder; null when none can start. @throws TurnsTaken */
export function* nextTurn(holderId: string, rules: LaneRules, nowMs: number): Steps<number | null> {
  const [runners, stirring] = yield* together(
    runnersOf(holderId),
    all<{ lane: LaneName }>(laneSql.stirring, JSON.stringify(laneNames)),
  )
  const counts = countsOf(runners)
  const asked = runners.filter(
    ({ lane }) => isLaneOpen(lane, counts, rules) && stirring.some((each) => each.lane === lane),
  )
  const found = yield* together(...asked.map((each) => waitingIn(each, rules)))
  const facts = runners.map((each) => found.find(({ lane }) => lane === each.lane) ?? none(each))
  const plan = planClaim(facts, rules, nowMs)
  if (plan.kind === 'take') return plan.position
  if (yield* isTaken(asked, rules)) throw new TurnsTaken()
  return null
}

/** Counted from the leases, so it cannot be wrong; as many rows as the holder runs turns. */
function* runnersOf(holderId: string): Steps<Runners[]> {
  const rows = yield* all<{ lane: LaneName; source: string; running: number }>(laneSql.running, holderId)
  return laneNames.map((lane) => ({
    lane,
    running: new Map(rows.filter((row) => row.lane === lane).map(({ source, running }) => [source, running])),
  }))
}

/** Whether a source waits in these lanes though none was found. */
function* isTaken(runners: readonly Runners[], rules: LaneRules): Steps<boolean> {
  const waits = yield* together(
    ...runners.map((each) => first(laneSql.waits, each.lane, JSON.stringify(atQuota(each.lane, each.running, rules)))),
  )
  return waits.some((found) => found !== undefined)
}

function* waitingIn({ lane, running }: Runners, rules: LaneRules): Steps<LaneFacts> {
  const passedOver = JSON.stringify(atQuota(lane, running, rules))
  const [byAge, inTurn, counted] = yield* together(
    all<WaitingSource>(laneSql.byAge, lane, passedOver),
    all<WaitingSource>(laneSql.inTurn, lane, passedOver),
    first<{ starts: number }>(laneSql.starts, lane),
  )
  return { lane, running, starts: counted?.starts ?? 0, inTurn, byAge }
}

const none = (runners: Runners): LaneFacts => ({ ...runners, starts: 0, inTurn: [], byAge: [] })

/** After the turn is no longer ready: its source goes to the end of the line. */
export function* noteStart(lane: LaneName, source: string): Steps<void> {
  yield* write(laneSql.started, lane)
  yield* write(laneSql.served, lane, source)
  yield* write(laneSql.forgetGone, lane, goneMax)
}
