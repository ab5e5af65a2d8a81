import { describe, expect, it } from 'vitest'
import { randomFrom, seedOfThisRun } from '../gateway/harness/random.ts'
import { type Act, expectWayBack, type Kill, killsOf, newStage, runKilled, runToEnd } from './killed.ts'

const random = randomFrom(seedOfThisRun())
const isRoot = process.getuid?.() === 0

/** So many of a mounted index, of which only the writing in place is new. */
const mountedKills = 12
const twiceKilled = 15

/** All kills of an act on a fresh home. */
async function allKills(act: Act, mounted: boolean): Promise<Kill[]> {
  await using stage = await newStage(mounted)
  if (act === 'undo') await runToEnd(stage.scratch.home.dir, 'change')
  return await killsOf(stage.scratch, act)
}

describe(`a run that is killed everywhere (HOLDFAST_SEED=${random.seed})`, () => {
  it.each<[Act, boolean]>([
    ['change', false],
    ['undo', false],
    ...(isRoot
      ? ([
          ['change', true],
          ['undo', true],
        ] as [Act, boolean][])
      : []),
  ])('%s, with an index that is a mount by itself: %s', async (act, mounted) => {
    const all = await allKills(act, mounted)
    for (const kill of mounted ? Array.from({ length: mountedKills }, () => random.pick(all)) : all) {
      await using stage = await newStage(mounted)
      if (act === 'undo') await runToEnd(stage.scratch.home.dir, 'change')
      expect(await runKilled(stage.scratch.home.dir, act, kill)).toBe(true)
      await expectWayBack(stage, `${act} killed at ${kill.call} ${kill.nth}${mounted ? ', mounted' : ''}`)
    }
  })

  it('and again while the next one settles it', async () => {
    const all = await allKills('change', false)
    for (let round = 0; round < twiceKilled; round += 1) {
      const first = random.pick(all)
      const second = {
        call: random.pick(['rename', 'unlink', 'fsync', 'pwrite64', 'ftruncate']),
        nth: random.between(1, 3),
      }
      await using stage = await newStage()
      expect(await runKilled(stage.scratch.home.dir, 'change', first)).toBe(true)
      await runKilled(stage.scratch.home.dir, 'settle', second)
      const told = `change killed at ${first.call} ${first.nth}, settling at ${second.call} ${second.nth}`
      await expectWayBack(stage, told)
    }
  })
})
