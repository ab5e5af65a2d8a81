import { expect, it } from 'vitest'
import { type Act, prepare } from './killed.ts'

it.each<Act>(['sweep', 'undo', 'rotate', 'expire', 'forget'])(
  '%s, killed at each of its steps, loses nothing and is finished by the next',
  async (act) => {
    const { steps, killAt } = await prepare(act)
    expect(steps).toBeGreaterThan(5)
    for (let at = 1; at <= steps; at += 1) await killAt(at)
  },
  1_800_000,
)
