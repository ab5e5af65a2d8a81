import { it } from 'vitest'
import { walkOnSqlite } from './walk-on-sqlite.ts'

/** The same walks each time; `HOLDFAST_SEED` takes others. */
const seed = Number(process.env.HOLDFAST_SEED ?? 77)

it(`does what the plain model does, over 900 more random walks (HOLDFAST_SEED=${seed})`, async () => {
  await walkOnSqlite(900, seed)
})
