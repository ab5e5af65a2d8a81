import { expect, it } from 'vitest'
import { randomFrom, seedOfThisRun } from '../../../test/gateway/harness/random.ts'
import { homeTree } from '../../../test/openclaw/clean/cleaning.ts'
import { allKills, expectWayOn, runKilled, smallHome } from '../../../test/openclaw/clean/killed.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'

const random = randomFrom(seedOfThisRun())
/** Killed at here; the long test kills everywhere. */
const kills = 4

it(`cleaning that is killed on its way is finished by the next run, and can be undone (HOLDFAST_SEED=${random.seed})`, async () => {
  const all = await allKills()
  expect(all.length).toBeGreaterThan(60)
  const width = Math.floor(all.length / kills)
  for (let at = 0; at < kills; ) {
    const kill = all[at * width + random.between(0, width - 1)]
    if (kill === undefined) throw new Error('there are more kills than that')
    using ground = new Ground()
    const built = smallHome(ground)
    const before = homeTree(built.dir)
    // threads share the calls in another way each time, so that the last ones may not be reached
    if (!(await runKilled(built.dir, kill))) continue
    await expectWayOn(built, before, `killed at ${kill.call} ${kill.nth}`)
    at += 1
  }
})
