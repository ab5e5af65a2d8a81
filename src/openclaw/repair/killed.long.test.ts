import { expect, it } from 'vitest'
import { expectFinishedAfterKill } from '../../../test/openclaw/transcripts/killed.ts'

it('is finished by the next one, wherever it is killed', async () => {
  let kills = 0
  while (await expectFinishedAfterKill(kills + 1)) kills += 1
  expect(kills).toBeGreaterThan(10)
})
