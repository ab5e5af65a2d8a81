import { expect, it } from 'vitest'
import { explore, record } from './explore.ts'

it('loses nothing that was told at a power cut, whatever the disk did with what was not synced', async () => {
  const recording = await record('full', 4)
  try {
    const { violations } = await explore(recording, 400)
    expect(violations).toEqual([])
  } finally {
    await recording.dispose()
  }
})

it('is seen to lose what was told in many states when the store does not sync', async () => {
  const recording = await record('unsafe-for-tests', 2)
  try {
    const { checked, violations } = await explore(recording, 60)
    expect(violations.length).toBeGreaterThan(checked / 4)
  } finally {
    await recording.dispose()
  }
})
