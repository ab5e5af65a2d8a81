import { describe, expect, it } from 'vitest'
import { randomFrom, seedOfThisRun } from '../gateway/harness/random.ts'
import { type Act, prepare } from './killed.ts'

/** Of each act; each kill is a process and a copy of the data, so that all steps would take a quarter of an hour. */
const killsMax = 24
const minuteMs = 60_000
const random = randomFrom(seedOfThisRun())

describe(`retention killed at many of its steps (HOLDFAST_SEED=${random.seed})`, () => {
  it.each<Act>(['sweep', 'undo', 'rotate', 'expire', 'forget'])(
    '%s: nothing is lost, and the next one finishes it',
    async (act) => {
      const { steps, killAt } = await prepare(act)
      expect(steps).toBeGreaterThan(5)
      const kills = Math.min(killsMax, steps)
      const width = steps / kills
      for (let kill = 0; kill < kills; kill += 1) {
        const first = 1 + Math.floor(kill * width)
        const last = Math.floor((kill + 1) * width)
        await killAt(random.between(first, Math.max(first, last)))
      }
    },
    10 * minuteMs,
  )
})
