import { expect, it } from 'vitest'
import { crashAtRandom } from './harness/crash.ts'
import { seedOfThisRun } from './harness/random.ts'

it('loses and doubles nothing when it is killed at random moments under load', { timeout: 120_000 }, async () => {
  const seed = seedOfThisRun()
  const report = await crashAtRandom({ kills: 15, seed, checkShare: 0.3 })
  console.log(`seed ${seed}: ${JSON.stringify(report)}`)
  expect(report.problems, `HOLDFAST_SEED=${seed}`).toEqual([])
  expect(report.acknowledged).toBe(report.messages)
})
