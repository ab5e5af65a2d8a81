import { expect, it } from 'vitest'
import { expectRepaired, seedsFrom } from '../../../test/openclaw/transcripts/crowd.ts'
import { damaged, linearDamages } from '../../../test/openclaw/transcripts/damage.ts'
import { expectMended, mend } from '../../../test/openclaw/transcripts/mended.ts'
import { chanceFrom } from '../../../test/power/chance.ts'

const first = Number(process.env.HOLDFAST_SEED ?? 1) * 1_000_000

it('mends whatever was done to thousands of transcripts, without losing what could be read', async () => {
  for (const seed of seedsFrom(first, 6_000)) {
    const { data, names } = damaged(chanceFrom(seed))
    await expectMended(data, { linear: linearDamages(names), mended: await mend(data) }).catch((error) => {
      throw new Error(`seed ${seed} (${names.join(', ')})`, { cause: error })
    })
  }
})

it('mends hundreds of them on a disk, and gives all of them back', async () => {
  const { mended } = await expectRepaired(seedsFrom(first, 500))
  expect(mended).toBeGreaterThan(400)
})
