import { expect, it } from 'vitest'
import { stallOnSqlite } from './stalls-on-sqlite.ts'

it.each([1, 2, 3, 4])('refuses and counts every write of a holder that was taken for dead (seed %i)', async (seed) => {
  expect(await stallOnSqlite(seed, 200)).toBeGreaterThan(0)
})
