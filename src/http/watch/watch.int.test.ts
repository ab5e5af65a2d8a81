import { afterEach, expect, it } from 'vitest'
import { type Gateway, gated, startGateway } from '../../../test/http/gateway.ts'

let gateway: Gateway
afterEach(() => gateway[Symbol.asyncDispose]())

const scrape = async () => (await gateway.fetch('/metrics')).text()
/** The value of one series; undefined when it is not there. */
const seriesIn = (text: string, series: string) => {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

it('is alive, ready, and not ready while it shuts down', async () => {
  const gate = gated()
  gateway = await startGateway({ run: gate.runner })
  expect(await gateway.call('GET', '/healthz')).toEqual({ status: 'ok' })
  expect(await gateway.call('GET', '/readyz')).toEqual({ ready: true, because: null, draining: false })
  await gateway.call('POST', '/v1/sessions/s/turns', { text: 'x' })
  await gate.started
  const checks = await gateway.holdfast.store.verify({ quick: true, atMs: 0 })
  expect(checks.ok).toBe(true)
  const closing = gateway.holdfast.close({ drainMs: 5_000 })
  const ready = await gateway.fetch('/readyz')
  expect(ready.status).toBe(503)
  expect(await ready.json()).toMatchObject({ ready: false, draining: true, because: { code: 'GATEWAY_CLOSING' } })
  const refused = await gateway.fetch('/v1/sessions/s/turns', { method: 'POST', body: '{"text":"y"}' })
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  gate.open()
  await closing
  expect((await gateway.fetch('/healthz')).status).toBe(200)
  expect(seriesIn(await scrape(), 'holdfast_store_writable')).toBe(0)
})

it('has every series that an alert may look at before anything has happened', async () => {
  gateway = await startGateway()
  const text = await scrape()
  for (const lane of ['main', 'subagent', 'cron', 'resume', 'background']) {
    for (const cause of ['session', 'lane', 'lease', 'recovery', 'disk', 'compaction']) {
      expect(seriesIn(text, `holdfast_turn_wait_seconds_count{cause="${cause}",lane="${lane}"}`)).toBe(0)
      expect(seriesIn(text, `holdfast_long_waits_total{lane="${lane}",cause="${cause}"}`)).toBe(0)
    }
    expect(seriesIn(text, `holdfast_lane_depth{lane="${lane}"}`)).toBe(0)
    expect(seriesIn(text, `holdfast_lane_oldest_seconds{lane="${lane}"}`)).toBe(0)
    expect(seriesIn(text, `holdfast_turns_total{lane="${lane}",status="done",code=""}`)).toBe(0)
  }
  const zeros = [
    'holdfast_stuck_turns',
    'holdfast_loop_wedged_total',
    'holdfast_append_seconds_count',
    'holdfast_verb_seconds_count{verb="appendEntries"}',
    'holdfast_compactions_total{outcome="failed"}',
    'holdfast_surrogates_replaced_total',
    'holdfast_crash_loop',
    'holdfast_recovery_turns_total{step="quarantine"}',
    'holdfast_recovery_turns_total{step="skip stale"}',
    'holdfast_fenced_writes_total',
    'holdfast_last_verify_timestamp_seconds',
    'holdfast_sessions{state="open"}',
    'holdfast_retention_sweeps_total{applied="true"}',
    'holdfast_retention_transcripts_total',
    'holdfast_retention_last_sweep_timestamp_seconds',
    'holdfast_retention_over_budget_bytes',
  ]
  for (const series of zeros) expect(seriesIn(text, series), series).toBe(0)
  const present = [
    'holdfast_commit_seconds_count',
    'holdfast_commit_verbs_count',
    'holdfast_event_loop_delay_seconds{quantile="0.999"}',
    'holdfast_bytes{kind="database"}',
    'process_resident_memory_bytes',
  ]
  for (const series of present) expect(seriesIn(text, series), series).toBeGreaterThanOrEqual(0)
  expect(seriesIn(text, 'holdfast_store_writable')).toBe(1)
  expect(text).toContain('holdfast_build_info{version="1.2.3"')
})

it('counts what happens, with few labels and no session key', async () => {
  const gate = gated()
  gateway = await startGateway({ run: gate.runner })
  for (const text of ['one', 'two']) await gateway.call('POST', '/v1/sessions/secret-name/turns', { text })
  await gate.started
  const busy = await scrape()
  expect(seriesIn(busy, 'holdfast_lane_depth{lane="main"}')).toBe(1)
  expect(seriesIn(busy, 'holdfast_lane_running{lane="main"}')).toBe(1)
  gate.open()
  const { items } = await gateway.call('GET', '/v1/turns')
  for (const { id } of items) await gateway.holdfast.settled(id)
  await gateway.call('POST', '/v1/verify', { quick: true })
  const text = await scrape()
  expect(seriesIn(text, 'holdfast_turns_total{lane="main",status="done",code=""}')).toBe(2)
  expect(seriesIn(text, 'holdfast_turn_wait_seconds_count{cause="session",lane="main"}')).toBe(2)
  expect(seriesIn(text, 'holdfast_turn_wait_seconds_sum{cause="session",lane="main"}')).toBeGreaterThan(0)
  expect(seriesIn(text, 'holdfast_turn_wait_seconds_sum{cause="compaction",lane="main"}')).toBe(0)
  expect(seriesIn(text, 'holdfast_verb_seconds_count{verb="admitTurn"}')).toBe(2)
  expect(seriesIn(text, 'holdfast_commit_seconds_count')).toBeGreaterThan(0)
  expect(seriesIn(text, 'holdfast_last_verify_ok')).toBe(1)
  expect(text).not.toContain('secret-name')
})
