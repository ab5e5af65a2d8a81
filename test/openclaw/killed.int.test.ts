import { describe, expect, it } from 'vitest'
import { randomFrom, seedOfThisRun } from '../gateway/harness/random.ts'
import { type Act, expectWayBack, killsOf, newStage, runFailing, runKilled, runToEnd } from './killed.ts'

const random = randomFrom(seedOfThisRun())
/** Killed at here; the long test kills everywhere. */
const kills = 6

describe(`a run that is killed on its way (HOLDFAST_SEED=${random.seed})`, () => {
  it.each<Act>(['change', 'undo'])(
    '%s: the next one finds every step at one of its ends, and undoes all of it',
    async (act) => {
      await using model = await newStage()
      if (act === 'undo') await runToEnd(model.scratch.home.dir, 'change')
      const all = await killsOf(model.scratch, act)
      expect(all.length).toBeGreaterThan(40)
      const width = Math.floor(all.length / kills)
      for (let at = 0; at < kills; at += 1) {
        const kill = all[at * width + random.between(0, width - 1)]
        if (kill === undefined) throw new Error('there are more kills than that')
        await using stage = await newStage()
        if (act === 'undo') await runToEnd(stage.scratch.home.dir, 'change')
        expect(await runKilled(stage.scratch.home.dir, act, kill)).toBe(true)
        await expectWayBack(stage, `${act} killed at ${kill.call} ${kill.nth}`)
      }
    },
  )

  it.each([
    ['pwrite64', 'ENOSPC', '4+'],
    ['pwrite64', 'ENOSPC', '9'],
    ['fsync', 'EIO', '5'],
  ] as const)('where %s fails with %s from call %s on, nothing is lost', async (call, error, when) => {
    await using stage = await newStage()
    const { code, errors } = await runFailing(stage.scratch.home.dir, 'change', call, error, when)
    if (error === 'ENOSPC') expect({ code, errors }).toEqual({ code: 0, errors: '' })
    else expect(errors).toContain('STORE_IO')
    await expectWayBack(stage, `${call} ${error} at ${when}`)
  })
})
