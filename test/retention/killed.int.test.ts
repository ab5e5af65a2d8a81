import { describe, expect, it } from 'vitest'
import { randomFrom, seedOfThisRun } from '../gateway/harness/random.ts'
import { type Act, prepare } from './killed.ts'

/** Steps killed at here; the long test does many. */
const kills = 1
const random = randomFrom(seedOfThisRun())

describe(`retention killed on its way (HOLDFAST_SEED=${random.seed})`, () => {
  it.each<Act>(['sweep', 'undo', 'rotate', 'forget'])(
    '%s: nothing is lost, and the next one finishes it',
    async (act) => {
      const killing = await prepare(act)
      expect(killing.steps).toBeGreaterThan(kills)
      const width = Math.floor(killing.steps / kills)
      for (let kill = 0; kill < kills; kill += 1) await killing.killAt(kill * width + random.between(1, width))
    },
    60_000,
  )
})
