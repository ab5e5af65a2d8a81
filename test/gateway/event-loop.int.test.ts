import { expect, it } from 'vitest'
import { answerTo, markOf } from './harness/history.ts'
import { totalOf } from './harness/metrics.ts'
import { makeStand } from './harness/stand.ts'

it('keeps the event loop free of the storage work under 64 busy sessions', async () => {
  await using stand = await makeStand()
  const sessions = Array.from({ length: 64 }, (_, index) => `s${index}`)
  const talk = (from: number, to: number) =>
    Promise.all(
      sessions.map(async (session) => {
        for (let number = from; number <= to; number += 1) {
          const { body } = await stand.api.chat(session, markOf(session, number))
          expect(body.choices[0]?.message.content).toBe(answerTo(markOf(session, number)))
        }
      }),
    )
  const measure = async () => {
    const samples = await stand.api.metrics()
    const valueIn = (name: string, labels = {}) => totalOf(samples, `holdfast_${name}`, labels) as number
    const delayMs = (quantile: string) => valueIn('event_loop_delay_seconds', { quantile }) * 1_000
    return {
      delayMs: { p99: delayMs('0.99'), p999: delayMs('0.999'), worst: delayMs('1') },
      commits: valueIn('commit_seconds_count'),
      commitMs: valueIn('commit_seconds_sum') * 1_000,
    }
  }
  await talk(1, 1)
  const before = await measure() // what the first requests load and compile counts only here
  await talk(2, 9)
  const after = await measure()
  const commitMs = after.commitMs - before.commitMs
  const { p99, p999, worst } = after.delayMs
  const figures = [p99, p999, worst].map((ms) => ms.toFixed(1)).join(' / ')
  const work = `${after.commits - before.commits} commits that took ${commitMs.toFixed(0)} ms`
  console.log(`event-loop delay p99 / p99.9 / worst: ${figures} ms, beside ${work}; at first ${before.delayMs.p999} ms`)
  expect(commitMs).toBeGreaterThan(0)
  expect(p999).toBeLessThan(commitMs)
})
