import { expect, it } from 'vitest'
import { watchLoopDelay } from './loop-delay.ts'

it('the event-loop delay shows how long the loop stood still, and starts again after a reset', async () => {
  const delay = watchLoopDelay()
  const turnOfTheLoop = () => new Promise((resolve) => setTimeout(resolve, 30))
  expect(delay.readMs()).toEqual({ mean: 0, p50: 0, p99: 0, p999: 0, max: 0 })
  await turnOfTheLoop()
  const endMs = performance.now() + 300
  while (performance.now() < endMs);
  await turnOfTheLoop()
  expect(delay.readMs().max).toBeGreaterThan(200)
  delay.reset()
  expect(delay.readMs().max).toBe(0)
  delay.stop()
})
