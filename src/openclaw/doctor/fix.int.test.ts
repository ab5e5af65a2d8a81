import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { buildHome } from '../../../test/openclaw/build.ts'
import { homeAt, homeTree, quietProcesses, stopped } from '../../../test/openclaw/clean/cleaning.ts'
import { Ground, unpackFixture } from '../../../test/openclaw/unpack.ts'
import { systemClock as clock } from '../../host/clock.ts'
import { repairHome } from '../repair/repair.ts'
import { fixHome } from './fix.ts'

const dayMs = 86_400_000
const outside = { clock, readProcesses: quietProcesses, temporary: [], gatewayNow: async () => stopped }

it('takes nothing to the archive while openclaw.json cannot be followed, which may want to keep it', async () => {
  using ground = new Ground()
  const leftovers = (['reset', 'deleted', 'temporary'] as const).map((kind) => ({ kind, ageMs: 9 * dayMs }))
  const { dir } = buildHome(join(ground.root, 'home'), {
    config: '{ session: { maintenance: { resetArchiveRetention: false },, } }',
    agents: [{ id: 'main', sessions: [{ key: 'agent:main:main' }], leftovers }],
  })
  const before = homeTree(dir)
  expect((await fixHome(await homeAt(dir), false, outside)).steps).toEqual([])
  expect(homeTree(dir)).toEqual(before)
  writeFileSync(join(dir, 'openclaw.json'), '{ session: { maintenance: { resetArchiveRetention: false } } }')
  const { steps } = await fixHome(await homeAt(dir), false, outside)
  expect(steps.map(({ path }) => /reset|deleted|tmp$/.exec(path)?.[0]).sort()).toEqual(['deleted', 'tmp'])
})

it('mends no transcript of a home that is half-way into a database', async () => {
  using ground = new Ground()
  const { dir } = unpackFixture('2026.9.6', ground.root)
  const built = buildHome(join(ground.root, 'files'), { agents: [{ id: 'main', sessions: [{ key: 'agent:main:x' }] }] })
  const { path } = built.session('agent:main:x')
  appendFileSync(path, '{"torn')
  const torn = join(dir, 'agents/main/sessions/0b1c.jsonl')
  writeFileSync(torn, readFileSync(path))
  const { steps, manifest } = await repairHome(
    await homeAt(dir),
    { dryRun: false, named: [] },
    { ...outside, told: () => {} },
  )
  expect(steps).toMatchObject([
    { kind: 'repair-transcript', done: false, left: expect.stringContaining('until that move is finished') },
    { kind: 'rebuild-index', done: false, left: expect.stringContaining('until that move is finished') },
  ])
  expect(manifest).toBeNull()
  expect(readFileSync(torn)).toEqual(readFileSync(path))
})
