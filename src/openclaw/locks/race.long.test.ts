import { expect, it } from 'vitest'
import { race } from '../../../test/openclaw/race.ts'

it('no fresh holder’s lock is ever gone while stale ones are cleared, for half a minute', async () => {
  const { away, lost, cleared } = await race('archive', 30_000)
  expect({ away, lost }).toEqual({ away: 0, lost: 0 })
  expect(cleared).toBeGreaterThan(5)
})

it('many would be gone if whatever has the name were removed after a last look, as gateways do', async () => {
  expect((await race('unlink', 30_000)).lost).toBeGreaterThan(0)
})
