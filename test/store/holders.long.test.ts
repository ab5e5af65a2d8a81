import { expect, it } from 'vitest'
import { stallOnSqlite } from './stalls-on-sqlite.ts'

const runs = 100

it(`refuses and counts every write of a holder that was taken for dead, in ${runs} runs that are new each time`, async () => {
  const firstSeed = Date.now()
  let refused = 0
  for (let run = 0; run < runs; run += 1) refused += await stallOnSqlite(firstSeed + run, 300)
  expect(refused).toBeGreaterThan(runs)
})
