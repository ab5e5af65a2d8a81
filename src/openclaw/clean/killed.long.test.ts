import { expect, it } from 'vitest'
import { homeTree } from '../../../test/openclaw/clean/cleaning.ts'
import { allKills, expectWayOn, runKilled, smallHome } from '../../../test/openclaw/clean/killed.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'

it('cleaning that is killed anywhere is finished by the next run, and can be undone', async () => {
  const all = await allKills()
  let killed = 0
  for (const kill of all) {
    using ground = new Ground()
    const built = smallHome(ground)
    const before = homeTree(built.dir)
    if (await runKilled(built.dir, kill)) killed += 1
    await expectWayOn(built, before, `killed at ${kill.call} ${kill.nth}`)
  }
  expect(killed).toBeGreaterThan(all.length * 0.9)
}, 1_800_000)
