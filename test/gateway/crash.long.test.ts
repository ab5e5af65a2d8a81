import { expect, it } from 'vitest'
import { crashAtEach, crashAtRandom } from './harness/crash.ts'
import { seedOfThisRun } from './harness/random.ts'

it('loses and doubles nothing over 200 kills at random moments under load', { timeout: 15 * 60_000 }, async () => {
  const seed = seedOfThisRun()
  const report = await crashAtRandom({ kills: 200, seed, checkShare: 0.5 })
  console.log(`seed ${seed}: ${JSON.stringify(report)}`)
  expect(report.problems, `HOLDFAST_SEED=${seed}`).toEqual([])
  expect(report.acknowledged).toBe(report.messages)
})

it.each([
  ['pwrite64', countingTo(400)], // a commit writes some twenty times
  ['fsync', countingTo(60)], // and syncs once
])('loses and doubles nothing when it is killed at any %s', async (call, nths) => {
  const seed = seedOfThisRun()
  const report = await crashAtEach({ call, nths, seed })
  console.log(`${call}, seed ${seed}: ${JSON.stringify(report)}`)
  expect(report.problems, `HOLDFAST_SEED=${seed}`).toEqual([])
  expect(report.kills, 'every N was reached').toBe(nths.length)
  expect(report.again, 'some kills met a running turn').toBeGreaterThan(0)
})

/** Each number at first, then wider and wider apart. */
function countingTo(last: number): number[] {
  const numbers = [1]
  while ((numbers.at(-1) as number) < last) numbers.push(Math.ceil((numbers.at(-1) as number) * 1.1))
  return numbers
}
