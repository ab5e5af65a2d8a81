import { it } from 'vitest'
import { walkOnSqlite } from './walk-on-sqlite.ts'

it('does what the plain model does, over 60 random walks', async () => {
  await walkOnSqlite(60, 20_260_101)
}, 180_000)
