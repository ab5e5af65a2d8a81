import { expect, it } from 'vitest'
import { problemsAfterKills } from './moves.ts'

it('loses no transcript when it is killed while some leave and come back, and the next purge finishes', async () => {
  expect(await problemsAfterKills([250, 700, 400])).toEqual([])
})
