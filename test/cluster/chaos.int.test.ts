import { expect, it } from 'vitest'
import { seedOfThisRun } from '../gateway/harness/random.ts'
import { chaos } from './chaos.ts'

it('half a minute of faults at three gateways and their database loses nothing', { timeout: 240_000 }, async () => {
  const seed = seedOfThisRun()
  const report = await chaos({ seed, sessions: 12, rounds: 1, roundMs: 30_000 })
  expect(report.acknowledged).toBeGreaterThan(20)
  expect(Object.keys(report.faults).length).toBeGreaterThan(0)
  expect(report.problems, `seed ${seed}`).toEqual([])
})
