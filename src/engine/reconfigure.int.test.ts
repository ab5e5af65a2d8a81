import { describe, expect, it } from 'vitest'
import { crashable, echo, eventually, gate, newData, talk, untilAborted } from '../../test/engine/opened.ts'
import { parseSessionKey } from '../model/keys.ts'
import { sqliteStore } from '../sqlite/open.ts'
import { ManualClock } from '../testing/clock.ts'
import { defaultSettings } from './settings.ts'

describe('settings that change while it runs', () => {
  it('hold for what waits and for what runs', async () => {
    const { run, release, begun, words } = gate()
    const lanes = (concurrency: number) => ({
      lanes: { ...defaultSettings.lanes.lanes, cron: { ...defaultSettings.lanes.lanes.cron, concurrency } },
    })
    const engine = await (await newData()).open({ run, settings: { lanes: lanes(1) } })
    const { submit } = talk(engine, parseSessionKey('one'))
    const first = await submit('first', { lane: 'cron' })
    const second = await engine.submit({ key: 'two', messages: 'second', lane: 'cron' })
    await eventually(() => begun.length === 1)
    expect(() => engine.reconfigure({ lanes: { slots: 0 } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
    expect(engine.settings.lanes.slots).toBe(defaultSettings.lanes.slots)
    engine.reconfigure({ lanes: lanes(3) })
    await eventually(() => words().includes('second'))
    release('first')
    release('second')
    for (const { turn } of [first, second]) expect((await engine.settled(turn.id)).turn.status).toBe('done')
    expect(engine.settings.turns).toEqual(defaultSettings.turns)
  })
  it('end what runs when they are shorter', async () => {
    const clock = new ManualClock()
    const engine = await (await newData()).open({
      ...{ run: untilAborted, clock },
      settings: { turns: { timeLimitMs: 86_400_000, stallLimitMs: 86_400_000 } },
    })
    const { turn } = await engine.submit({ key: 'alice', messages: 'x' })
    await eventually(async () => (await engine.store.listLeases()).length === 1)
    engine.reconfigure({ turns: { timeLimitMs: 20_000, stallLimitMs: 20_000 } })
    await eventually(async () => {
      await clock.advance(1_000)
      return (await engine.store.listLeases()).length === 0
    })
    expect((await engine.settled(turn.id)).turn.outcome?.code).toMatch(/TURN_(TIME_LIMIT|STALLED)/)
  })
  it('start jobs and resumes that were switched off', async () => {
    const data = await newData()
    const { open, crash } = crashable(sqliteStore(data.directory))
    const before = await data.open({ run: untilAborted, store: open })
    const { turn } = await before.submit({ key: 'alice', messages: 'x' })
    await eventually(async () => (await before.store.listLeases()).length === 1)
    await crash()
    const off = { recovery: { enabled: false }, cron: { enabled: false } }
    const clock = new ManualClock(Date.now())
    const engine = await data.open({ run: echo, clock, settings: off })
    await engine.jobs.put({ name: 'job', schedule: '* * * * * *', messages: 'go' })
    await eventually(async () => (await engine.recovery.report()).todo.some(({ kind }) => kind === 'wait'))
    await clock.advance(2_000)
    engine.reconfigure({ recovery: { enabled: true }, cron: { enabled: true } }) // time stands still from here on
    expect((await engine.settled(turn.id)).turn.status).toBe('done')
    await eventually(async () => (await engine.jobs.read('job')).lastTurnId !== null)
  })
})
