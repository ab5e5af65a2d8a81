import { expect, it } from 'vitest'
import { explore, record } from './power.ts'

it.each(['change', 'undo'] as const)(
  'a power cut during %s loses nothing, in a sample of the states that it can leave',
  async (act) => {
    const { checked, violations } = await explore(await record(act), 25)
    expect(violations).toEqual([])
    expect(checked).toBeGreaterThan(10)
  },
)
