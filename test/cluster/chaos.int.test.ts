import { expect, it } from 'vitest'
import { chaos } from './chaos.ts'

it('gateways that share a database lose nothing, and answer once, while they and the way to it fail', {
  timeout: 240_000,
}, async () => {
  const report = await chaos({ seed: 5, sessions: 20, rounds: 1, roundMs: 20_000 })
  expect(report.problems).toEqual([])
  expect(report.acknowledged).toBeGreaterThan(40)
})
