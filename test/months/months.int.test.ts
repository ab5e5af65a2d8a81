import { expect, it } from 'vitest'
import { playMonths } from './months.ts'

const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))

it(`keeps its bounds and all that was said for weeks, killed on the way (HOLDFAST_SEED=${seed})`, async () => {
  const told = await playMonths({ seed, days: 16, calmDays: 3, scale: 0.15, spanDaysMax: 8 })
  expect(told.sessions).toBeGreaterThan(200)
  expect(told.kills + told.poisoned).toBeGreaterThan(0)
  expect(told.undone).toBeGreaterThan(50)
  if (process.env.HOLDFAST_TELL !== undefined) console.log(JSON.stringify(told, null, 1))
}, 120_000)
