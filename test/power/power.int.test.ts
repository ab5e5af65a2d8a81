import { expect, it } from 'vitest'
import { explore, record } from './explore.ts'

const rounds = 2

it('loses nothing that was told at a power cut, in a sample of the states', async () => {
  const recording = await record('full', rounds)
  try {
    const { checked, violations } = await explore(recording, 16)
    expect(violations).toEqual([])
    expect(checked).toBeGreaterThan(10)
  } finally {
    await recording.dispose()
  }
}, 180_000)

it('is seen to lose what was told when the store does not sync', async () => {
  const recording = await record('unsafe-for-tests', rounds)
  try {
    const { violations } = await explore(recording, 60, (found) => found.violations.length > 0)
    expect(violations).toHaveLength(1)
  } finally {
    await recording.dispose()
  }
}, 180_000)
