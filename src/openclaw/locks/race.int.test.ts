import { expect, it } from 'vitest'
import { race } from '../../../test/openclaw/race.ts'

it('no fresh holder’s lock is ever gone while stale ones are cleared by several at once', async () => {
  const { taken, away, lost, cleared } = await race('archive', 5_000)
  expect({ away, lost }).toEqual({ away: 0, lost: 0 })
  expect(taken).toBeGreaterThan(1)
  expect(cleared).toBeGreaterThan(0)
})
