import { expect, it } from 'vitest'
import { playMonths } from './months.ts'
import { causes } from './reasons.ts'

const seed = Number(process.env.HOLDFAST_SEED ?? 11)
const mb = 1024 ** 2

/** `HOLDFAST_MONTHS=full`: four months and 10,000 sessions, about six minutes alone. */
const isFull = process.env.HOLDFAST_MONTHS === 'full'
const world = isFull ? { days: 118, calmDays: 14, scale: 1.05 } : { days: 45, calmDays: 7, scale: 0.4 }
const least = isFull ? { sessions: 10_000, kills: 3, moved: 1_000 } : { sessions: 1_000, kills: 0, moved: 200 }

it(`keeps its bounds and all that was said for ${world.days} days (HOLDFAST_SEED=${seed})`, async () => {
  const told = await playMonths({ seed, ...world, spanDaysMax: 10 })
  console.log(JSON.stringify(told, null, 1))
  expect(told.sessions).toBeGreaterThan(least.sessions)
  expect(told.kills).toBeGreaterThan(least.kills)
  expect(told.refusedSweeps).toBeGreaterThan(0)
  expect(told.deleted).toBeGreaterThan(least.moved)
  expect(told.undone).toBeGreaterThan(least.moved)
  expect(told.heapBytes[1] - told.heapBytes[0]).toBeLessThan(8 * mb)
  expect(told.residentBytes[1] - told.residentBytes[0]).toBeLessThan(64 * mb)
  if (!isFull) return
  expect(told.resumed).toBeGreaterThan(0)
  for (const cause of causes) expect(told.causes[cause], cause).toBeGreaterThan(0)
  for (const end of ['done', 'TURN_QUARANTINED', 'TURN_STALE', 'TURN_CANCELLED', 'RUNNER_FAILED'])
    expect(told.turns[end], end).toBeGreaterThan(0)
}, 1_800_000)
