import { describe, expect, it } from 'vitest'
import { statusAfter, statusAtStart } from '../../openclaw/keep/status.ts'
import { keeperApp } from './app.ts'

const step = {
  kind: 'clear-lock',
  path: '/h/x.lock',
  key: null,
  because: 'its process has ended',
  bytes: 85,
  done: true,
  left: null,
} as const
const cause = { code: 'LOCK_OVERDUE', home: '/h', subject: '/h/y.lock', text: 'held' }
const home = statusAfter(
  statusAtStart('/h'),
  'locks',
  { steps: [step], manifest: '/h/m' },
  { startedAtMs: 5_000, tookMs: 250, ok: true },
)
const app = keeperApp('127.0.0.1', () => ({ version: '1', pid: 7, sinceMs: 1, homes: [home], raised: [cause] }))
const ask = (path: string, headers: Record<string, string> = { host: '127.0.0.1' }) =>
  app.request(path, { headers }, {})

describe('a keeper over HTTP', () => {
  it('says what it has done', async () => {
    expect(await (await ask('/status')).json()).toMatchObject({
      pid: 7,
      homes: [{ home: '/h', bytes: 85 }],
      raised: [cause],
    })
  })
  it('counts for Prometheus, the same however often it is asked', async () => {
    await (await ask('/metrics')).text()
    const text = await (await ask('/metrics')).text()
    expect(text).toContain('holdfast_keeper_runs_total{home="/h",task="locks",ok="true"} 1')
    expect(text).toContain('holdfast_keeper_runs_total{home="/h",task="clean",ok="true"} 0')
    expect(text).toContain('holdfast_keeper_steps_total{home="/h",kind="clear-lock"} 1')
    expect(text).toContain('holdfast_keeper_last_run_seconds{home="/h",task="locks"} 0.25')
    expect(text).toContain('holdfast_keeper_causes{home="/h"} 1')
  })
  it('refuses other names, as a page in a browser would use them', async () => {
    expect((await ask('/status', { host: 'evil.example' })).status).toBe(403)
    expect((await ask('/status', { host: '127.0.0.1', origin: 'https://evil.example' })).status).toBe(403)
  })
  it('has nothing else, and changes nothing', async () => {
    expect((await ask('/')).status).toBe(404)
    expect((await app.request('/status', { method: 'POST', headers: { host: '127.0.0.1' } }, {})).status).toBe(404)
  })
})
