import { expect, it } from 'vitest'
import { problemsAfterKills } from './moves.ts'

const kills = 60

it('loses no transcript at sixty kills while some leave and come back', async () => {
  const afterMs = Array.from({ length: kills }, (_, index) => 20 + ((index * 797) % 1_500))
  expect(await problemsAfterKills(afterMs)).toEqual([])
})
