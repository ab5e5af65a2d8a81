import { expect, it } from 'vitest'
import { expectFinishedAfterKill } from '../../../test/openclaw/transcripts/killed.ts'

it.each([1, 4, 7, 10, 13])('is finished by the next one when it is killed (at sync or rename %i)', async (nth) => {
  expect(await expectFinishedAfterKill(nth)).toBe(true)
})
