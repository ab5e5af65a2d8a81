import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { damageTranscripts, transcriptsIn } from '../../../../test/openclaw/hurt.ts'
import { exportTo, importInto, openStore, problemsIn } from '../../../../test/openclaw/moving.ts'
import { Seeded } from '../../../../test/openclaw/seeded.ts'
import { Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'

const seeds = 25

it(`gives back to the byte what was damaged twice at random, ${seeds} times`, async () => {
  using ground = new Ground()
  const { dir } = unpackFixture('2026.5.18', ground.root)
  const first = Number(process.env.HOLDFAST_SEED ?? 1)
  for (let seed = first; seed < first + seeds; seed += 1) {
    const chance = new Seeded(seed)
    const home = join(ground.root, 'home')
    cpSync(dir, home, { recursive: true })
    const folder = join(home, 'agents/main/sessions')
    damageTranscripts(folder, chance)
    damageTranscripts(folder, chance)
    await using store = await openStore(join(ground.root, 'data'))
    expect((await importInto(store, home)).totals, `seed ${seed}`).toMatchObject({ mismatch: 0, left: 0 })
    expect(await problemsIn(store), `seed ${seed}`).toEqual([])
    const out = join(ground.root, 'out')
    expect((await exportTo(store, out)).totals, `seed ${seed}`).toMatchObject({ left: 0 })
    for (const name of transcriptsIn(folder)) {
      const given = readFileSync(join(out, 'agents/main/sessions', name))
      expect(given.equals(readFileSync(join(folder, name))), `${name}, seed ${seed}`).toBe(true)
    }
    await store.close()
    for (const each of [home, out, join(ground.root, 'data')]) rmSync(each, { recursive: true })
  }
})
