import { countsOf, isLaneOpen, type LaneFacts, passedOver, planClaim, type WaitingSource } from '../../lanes/plan.ts'
import { type LaneName, type LaneRules, laneNames } from '../../model/lanes.ts'
import type { Connection } from '../file/connection.ts'
import { laneSql } from '../statements/lanes.ts'

/** Rows of sources that have nothing left, deleted with each start; a start leaves one at most. */
const goneMax = 8

type Runners = Pick<LaneFacts, 'lane' | 'running'>

/** The position of the turn that the lane rules choose for this holder; null when none can start. */
export function nextTurn(db: Connection, holderId: string, rules: LaneRules, nowMs: number): number | null {
  const runners = runnersOf(db, holderId)
  const counts = countsOf(runners)
  const facts = runners.map((each) => (isLaneOpen(each.lane, counts, rules) ? waitingIn(db, each, rules) : none(each)))
  const plan = planClaim(facts, rules, nowMs)
  return plan.kind === 'take' ? plan.position : null
}

/** Counted from the leases, so it cannot be wrong; as many rows as the holder runs turns. */
function runnersOf(db: Connection, holderId: string): Runners[] {
  const rows = db.all<{ lane: LaneName; source: string; running: number }>(laneSql.running, holderId)
  return laneNames.map((lane) => ({
    lane,
    running: new Map(rows.filter((row) => row.lane === lane).map(({ source, running }) => [source, running])),
  }))
}

function waitingIn(db: Connection, { lane, running }: Runners, rules: LaneRules): LaneFacts {
  const limit = passedOver(lane, running, rules) + 1
  const byAge = db.all<WaitingSource>(laneSql.byAge, lane, limit)
  if (byAge.length === 0) return none({ lane, running })
  const inTurn = db.all<WaitingSource>(laneSql.inTurn, lane, limit)
  const { starts } = db.first<{ starts: number }>(laneSql.starts, lane) as { starts: number }
  return { lane, running, starts, inTurn, byAge }
}

const none = (runners: Runners): LaneFacts => ({ ...runners, starts: 0, inTurn: [], byAge: [] })

/** After the turn is no longer ready: its source goes to the end of the line. */
export function noteStart(db: Connection, lane: LaneName, source: string): void {
  db.run(laneSql.started, lane)
  db.run(laneSql.served, lane, source)
  db.run(laneSql.forgetGone, lane, goneMax)
}
