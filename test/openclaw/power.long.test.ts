import { expect, it } from 'vitest'
import { explore, record } from './power.ts'

it.each(['change', 'undo'] as const)(
  'a power cut during %s loses nothing, in any of the states that it can leave',
  async (act) => {
    const { states, checked, violations } = await explore(await record(act), Number.POSITIVE_INFINITY)
    expect(violations).toEqual([])
    expect(checked).toBe(states)
    expect(states).toBeGreaterThan(50)
  },
)
