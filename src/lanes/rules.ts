import type { LaneName, LaneRules } from '../model/lanes.ts'

const secondMs = 1_000
const minuteMs = 60_000

export const defaultLaneRules: LaneRules = {
  slots: 72, // turns mostly wait for the network; the model server has its own limit
  userSlots: 56, // a stampede of cron jobs and subagents leaves people nearly all of the process
  sourceShare: 0.75, // a second source finds a slot, and one alone has most of them
  lanes: {
    main: { concurrency: 64, patienceMs: 0, waitLimitMs: 10 * secondMs },
    subagent: { concurrency: 8, patienceMs: 15 * secondMs, waitLimitMs: minuteMs },
    cron: { concurrency: 4, patienceMs: 30 * secondMs, waitLimitMs: 5 * minuteMs },
    resume: { concurrency: 2, patienceMs: minuteMs, waitLimitMs: 10 * minuteMs }, // a restart is no stampede
    background: { concurrency: 2, patienceMs: 5 * minuteMs, waitLimitMs: 30 * minuteMs },
  },
}

/** Relations between the rules that do not hold, each as `key: what`. */
export function problemsOfLaneRules({ slots, userSlots, sourceShare, lanes }: LaneRules): string[] {
  const problems: string[] = []
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem)
  }
  demand(Number.isInteger(slots) && slots >= 1, `lanes.slots: found ${slots}, allowed is a whole number from 1`)
  const whole = Number.isInteger(userSlots) && userSlots >= 0
  demand(whole && userSlots < slots, `lanes.userSlots: found ${userSlots}, allowed is less than lanes.slots (${slots})`)
  demand(sourceShare > 0 && sourceShare <= 1, `lanes.sourceShare: found ${sourceShare}, allowed is above 0, at most 1`)
  for (const [name, rule] of Object.entries(lanes) as [LaneName, LaneRules['lanes'][LaneName]][]) {
    const { concurrency, patienceMs, waitLimitMs } = rule
    const key = `lanes.${name}`
    demand(
      Number.isInteger(concurrency) && concurrency >= 1,
      `${key}.concurrency: found ${concurrency}, allowed is from 1`,
    )
    demand(patienceMs >= 0, `${key}.patience: found ${patienceMs}, allowed is from 0`)
    demand(waitLimitMs > 0, `${key}.waitLimit: found ${waitLimitMs}, allowed is above 0`)
  }
  return problems
}
