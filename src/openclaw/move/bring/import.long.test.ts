import { join } from 'node:path'
import { expect, it } from 'vitest'
import { expectSameAfterKills } from '../../../../test/openclaw/killing.ts'
import { contentOf, importInto, openStore } from '../../../../test/openclaw/moving.ts'
import { fixtureVersions, Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'

it.each(fixtureVersions)('an import of %s that is killed fifteen times ends as one that is not', async (version) => {
  using ground = new Ground()
  const { dir } = unpackFixture(version, ground.root)
  await using store = await openStore(join(ground.root, 'data'))
  await importInto(store, dir)
  const whole = await contentOf(store)
  expect(whole.size).toBeGreaterThan(20)
  await expectSameAfterKills(dir, join(ground.root, 'killed'), whole, 15)
})
