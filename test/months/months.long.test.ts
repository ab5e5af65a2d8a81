import { expect, it } from 'vitest'
import { playMonths } from './months.ts'
import { causes } from './reasons.ts'

const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const mb = 1024 ** 2

it(`keeps its bounds and all that was said for four months and 10,000 sessions (HOLDFAST_SEED=${seed})`, async () => {
  const told = await playMonths({ seed, days: 118, calmDays: 14, scale: 1, spanDaysMax: 10 })
  console.log(JSON.stringify(told, null, 1))
  expect(told.sessions).toBeGreaterThan(10_000)
  expect(told.kills).toBeGreaterThan(3)
  expect(told.resumed).toBeGreaterThan(0)
  expect(told.refusedSweeps).toBeGreaterThan(0)
  for (const cause of causes) expect(told.causes[cause], cause).toBeGreaterThan(0)
  for (const end of ['done', 'TURN_QUARANTINED', 'TURN_STALE', 'TURN_CANCELLED', 'RUNNER_FAILED'])
    expect(told.turns[end], end).toBeGreaterThan(0)
  expect(told.deleted).toBeGreaterThan(1_000)
  expect(told.undone).toBeGreaterThan(1_000)
  expect(told.heapBytes[1] - told.heapBytes[0]).toBeLessThan(8 * mb)
  expect(told.residentBytes[1] - told.residentBytes[0]).toBeLessThan(64 * mb)
}, 1_800_000)
