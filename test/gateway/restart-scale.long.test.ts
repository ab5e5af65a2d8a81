import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { buildStores, restart } from '../../bench/restarts.ts'
import { closeConnections } from '../../bench/turns/client.ts'
import { startModel } from '../../bench/turns/processes.ts'
import { defaultRecoveryBudget } from '../../src/recovery/budget.ts'
import { Api } from './harness/api.ts'

const sessions = 10_000
const interrupted = 1_000

it('a start with 1,000 interrupted turns answers a new message first, and ends every one of them', async () => {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-restart-'))
  const model = await startModel()
  try {
    const stores = await buildStores(root, sessions, interrupted)
    const calm = await restart(stores.calm, join(root, 'one'), model.port)
    await calm.stop()
    const busy = await restart(stores.interrupted, join(root, 'other'), model.port)
    try {
      const api = new Api(`http://127.0.0.1:${busy.port}`)
      const again = (await api.turns('status=done')).filter(({ attempts }) => attempts > 1)
      const left = await api.turns('status=failed')
      expect(again).toHaveLength(defaultRecoveryBudget.resumesMax)
      expect(left).toHaveLength(interrupted - defaultRecoveryBudget.resumesMax)
      expect(new Set(left.map(({ outcome }) => outcome?.code))).toEqual(new Set(['TURN_NOT_RESUMED']))
      // The newest were resumed, and the new message did not wait for them.
      const newest = Math.max(...left.map(({ position }) => position))
      expect(Math.min(...again.map(({ position }) => position))).toBeGreaterThan(newest)
      expect(busy.answeredAtMs).toBeLessThan(Math.max(...again.map(({ settledAtMs }) => settledAtMs ?? 0)))
      const report = await api.post<{ ok: boolean }>('/v1/verify', { quick: false })
      expect(report.body.ok).toBe(true)
    } finally {
      await busy.stop()
    }
    const ratio = (of: 'firstAnswerMs' | 'residentBytes' | 'peakBytes') => (busy[of] / calm[of]).toFixed(2)
    const figures = {
      calm: { ...calm, stop: undefined },
      busy: { ...busy, stop: undefined },
      firstAnswer: ratio('firstAnswerMs'),
      resident: ratio('residentBytes'),
      peak: ratio('peakBytes'),
    }
    console.log(JSON.stringify(figures, null, 1))
  } finally {
    closeConnections()
    await model.stop()
    await rm(root, { recursive: true, maxRetries: 3 })
  }
})
