import { expect, it } from 'vitest'
import { expectRepaired, seedsFrom } from '../../../test/openclaw/transcripts/crowd.ts'

it('mends a hundred transcripts on a disk, each damaged in its way, and gives all of them back', async () => {
  const { mended } = await expectRepaired(seedsFrom(10_000, 100))
  expect(mended).toBeGreaterThan(80)
})
