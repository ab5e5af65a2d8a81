import { expect, it } from 'vitest'
import { seedOfThisRun } from '../gateway/harness/random.ts'
import { chaos } from './chaos.ts'

const minuteMs = 60_000

it('eight minutes of faults at three gateways and their database: 200 sessions, nothing lost, all answered once', {
  timeout: 25 * minuteMs,
}, async () => {
  const seed = seedOfThisRun()
  const report = await chaos({ seed, sessions: 200, rounds: 4, roundMs: 2 * minuteMs })
  const { faults, messages, acknowledged, again } = report
  const survived = Object.entries(faults).map(([name, count]) => `${count} ${name}`)
  const total = Object.values(faults).reduce((sum, count) => sum + count, 0)
  console.log(
    `${acknowledged} of ${messages} messages acknowledged, ${again} answered by a later attempt; ${total} faults: ${survived.join(', ')}; seed ${seed}`,
  )
  expect(report.problems, `seed ${seed}`).toEqual([])
})
