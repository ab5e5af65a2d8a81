import { it } from 'vitest'
import { walkOnSqlite } from './walk-on-sqlite.ts'

it('does what the plain model does, over 1,000 walks that are new each time', async () => {
  await walkOnSqlite(1_000, Date.now())
})
