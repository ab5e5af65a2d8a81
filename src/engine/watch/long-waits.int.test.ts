import { expect, it } from 'vitest'
import { eventually, newData, untilAborted } from '../../../test/engine/opened.ts'
import { sha256 } from '../../host/random.ts'
import { parseSessionKey } from '../../model/keys.ts'
import type { Store } from '../../store/port.ts'
import { ManualClock } from '../../testing/clock.ts'
import { defaultSettings } from '../settings.ts'
import { silentTelemetry } from '../telemetry.ts'

const turns = 10_000

async function admit(store: Store, number: number, atMs: number): Promise<void> {
  const turnId = `turn-${number}`
  await store.admitTurn({
    ...{ key: parseSessionKey(`s${number}`), turnId, lane: 'cron', source: `source ${number % 7}`, dedupeKey: null },
    ...{ digest: sha256(turnId), messages: [{ role: 'user', content: 'x' }], tokens: [1] },
    ...{ request: { instructions: [], params: {}, streaming: false }, onBusy: 'queue', coalesceMs: 1 },
    ...{ coalesceTokensMax: 1, queuedMax: { session: 10, total: 2 * turns }, atMs },
  })
}

it('each of 10,000 waits over its limit is told once, with its cause, a bounded number at each look', async () => {
  const clock = new ManualClock()
  const told = new Map<string, number>()
  const total = () => [...told.values()].reduce((sum, count) => sum + count, 0)
  const { lanes } = defaultSettings
  const engine = await (await newData()).open({
    run: untilAborted,
    clock,
    telemetry: {
      ...silentTelemetry,
      longWait: (lane, cause) => void told.set(`${lane} ${cause}`, (told.get(`${lane} ${cause}`) ?? 0) + 1),
    },
    settings: {
      turns: { timeLimitMs: 86_400_000, stallLimitMs: 86_400_000 },
      lanes: { lanes: { ...lanes.lanes, cron: { concurrency: 1, patienceMs: 0, waitLimitMs: 60_000 } } },
    },
  })
  const named: string[] = []
  void (async () => {
    for await (const found of engine.events.subscribe(null)) {
      if ('event' in found && found.event.type === 'turn.waits') named.push(found.event.turnId)
    }
  })()
  const holding = await engine.submit({ key: 'holds', messages: 'first', lane: 'cron' })
  await eventually(async () => (await engine.store.listLeases()).length === 1)
  const behind = await engine.submit({ key: 'holds', messages: 'second', lane: 'cron' })
  await Promise.all(Array.from({ length: turns }, (_, number) => admit(engine.store, number, clock.nowMs())))

  await clock.advance(55_000)
  expect(told.size).toBe(0)
  await eventually(async () => {
    await clock.advance(5_000)
    return total() > turns
  })
  expect(Object.fromEntries(told)).toEqual({ 'cron lane': turns, 'cron session': 1 })
  for (let look = 0; look < 10; look += 1) {
    await clock.advance(5_000)
    await engine.store.statistics()
  }
  expect(total()).toBe(turns + 1)
  expect(named).toContain(behind.turn.id)
  expect(named.length).toBe(new Set(named).size)
  expect(named.length).toBeLessThan(turns / 10)

  const report = await engine.lanes()
  expect(report.lanes.find(({ lane }) => lane === 'cron')).toMatchObject({
    ...{ running: 1, waiting: turns + 1 },
    oldest: { turnId: behind.turn.id, cause: 'session' },
    sources: [{}, {}, {}, {}, {}],
  })
  expect(report.running).toMatchObject([{ turnId: holding.turn.id, source: 'api', pid: process.pid, stuck: false }])
  const { queue } = await engine.why(parseSessionKey(`s${turns - 1}`))
  expect(queue).toMatchObject({ waiting: 1, aheadInLane: turns })
})

it('a wait is told also after a clock that was a year ahead was set back', async () => {
  const clock = new ManualClock()
  const { lanes } = defaultSettings
  const engine = await (await newData()).open({
    run: untilAborted,
    clock,
    settings: {
      turns: { timeLimitMs: 86_400_000, stallLimitMs: 86_400_000 },
      lanes: { lanes: { ...lanes.lanes, cron: { concurrency: 1, patienceMs: 0, waitLimitMs: 10_000 } } },
    },
  })
  const told: string[] = []
  void (async () => {
    for await (const found of engine.events.subscribe(null)) {
      if ('event' in found && found.event.type === 'turn.waits') told.push(found.event.turnId)
    }
  })()
  await engine.submit({ key: 'holds', messages: 'x', lane: 'cron' })
  await eventually(async () => (await engine.store.listLeases()).length === 1)
  const tell = async (key: string) => {
    const { turn } = await engine.submit({ key, messages: 'x', lane: 'cron' })
    await eventually(async () => {
      await clock.advance(5_000)
      return told.includes(turn.id)
    })
  }
  const yearMs = 365 * 86_400_000
  clock.jumpWall(yearMs)
  await tell('ahead')
  clock.jumpWall(-yearMs)
  await tell('behind')
})
