import { describe, expect, it } from 'vitest'
import { type Act, prepare } from './killed.ts'

/** Steps killed at here; the long test does all of them. */
const kills = 2
const seed = Number(process.env.HOLDFAST_SEED ?? Math.floor(Math.random() * 2 ** 31))

describe(`retention killed on its way (HOLDFAST_SEED=${seed})`, () => {
  it.each<Act>(['sweep', 'undo', 'rotate', 'forget'])(
    '%s: nothing is lost, and the next one finishes it',
    async (act) => {
      const killing = await prepare(act)
      expect(killing.steps).toBeGreaterThan(kills)
      let state = seed
      for (let kill = 0; kill < kills; kill += 1) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        const width = killing.steps / kills
        await killing.killAt(1 + Math.floor(kill * width + ((state >>> 8) % Math.floor(width))))
      }
    },
    60_000,
  )
})
