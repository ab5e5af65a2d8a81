import { expect, it } from 'vitest'
import { playMonths } from './months.ts'

const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))

it(`keeps its bounds and all that was said for weeks (HOLDFAST_SEED=${seed}); the long test does it for months`, async () => {
  const told = await playMonths({ seed, days: 10, calmDays: 2, scale: 0.1, spanDaysMax: 7 })
  expect(told.sessions).toBeGreaterThan(200)
  expect(told.refusedSweeps).toBeGreaterThan(0)
  expect(told.undone).toBeGreaterThan(100)
}, 180_000)
