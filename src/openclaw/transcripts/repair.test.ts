import { it } from 'vitest'
import { damaged, linearDamages } from '../../../test/openclaw/transcripts/damage.ts'
import { expectMended, mend } from '../../../test/openclaw/transcripts/mended.ts'
import { chanceFrom } from '../../../test/power/chance.ts'

it.each(Array.from({ length: 10 }, (_, at) => at * 50))(
  'mends whatever was done to a transcript (seeds from %i)',
  async (from) => {
    for (let seed = from; seed < from + 50; seed += 1) {
      const { data, names } = damaged(chanceFrom(seed))
      const linear = linearDamages(names)
      await expectMended(data, { linear, mended: await mend(data) }).catch((error) => {
        throw new Error(`seed ${seed} (${names.join(', ')})`, { cause: error })
      })
    }
  },
)

it.each([100_692, 103_182, 104_118])('mends in one go what only comes to light by mending (seed %i)', async (seed) => {
  const { data } = damaged(chanceFrom(seed))
  await expectMended(data, { linear: false, mended: await mend(data) })
})
