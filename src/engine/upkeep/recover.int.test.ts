import { describe, expect, it } from 'vitest'
import {
  counting,
  crashable,
  echo,
  eventually,
  gate,
  newData,
  shortLimits,
  untilAborted,
  withTurns,
} from '../../../test/engine/opened.ts'
import { defaultLaneRules } from '../../lanes/rules.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { defaultRecoveryBudget, type RecoveryBudget } from '../../recovery/budget.ts'
import { nameOf } from '../../recovery/plan.ts'
import { sqliteStore } from '../../sqlite/open.ts'
import type { Holdfast } from '../holdfast.ts'
import type { Deliver, Runner } from '../runner.ts'
import type { PartialSettings } from '../settings.ts'
import { silentTelemetry } from '../telemetry.ts'

const key = parseSessionKey('alice')
/** So that the order shows. */
const oneAtATime = (settings = shortLimits): PartialSettings => {
  const { lanes } = defaultLaneRules
  return {
    ...settings,
    lanes: { ...defaultLaneRules, lanes: { ...lanes, resume: { ...lanes.resume, concurrency: 1 } } },
  }
}
const never: Runner = () => new Promise(() => {})

/** An engine that ended in the middle of these turns, as a crash ends it. */
async function crashed(keys: string[], times = 1) {
  const data = await newData()
  const turnIds: string[] = []
  for (let round = 1; round <= times; round += 1) {
    const { open, crash } = crashable(sqliteStore(data.directory))
    const engine = await data.open({ run: never, store: open, settings: withTurns({ attemptsMax: 2 }) })
    if (round === 1) {
      for (const each of keys) {
        const submitted = await engine.submit({ key: each, messages: `to ${each}`, deliverTo: ['channel'] })
        turnIds.push(submitted.turn.id)
      }
    }
    const ours = async () => (await engine.store.listLeases()).filter(({ holder }) => holder.id === engine.holder.id)
    await eventually(async () => (await ours()).length === keys.length)
    await crash()
  }
  return { data, turnIds }
}

describe('a turn that was running when the process ended', () => {
  it('runs again at the next start and is answered once', async () => {
    const { data, turnIds } = await crashed(['alice'])
    const counted = counting()
    const engine = await data.open({ run: echo, telemetry: counted.telemetry })
    const { turn } = await engine.settled(turnIds[0] as string)
    expect(turn).toMatchObject({ status: 'done', attempts: 2, lane: 'resume' })
    const { entries } = await engine.store.readEntries({ key, order: 'oldest', limit: 10 })
    expect(entries.map(({ kind, attempt }) => [kind, attempt])).toEqual([
      ['user', 1],
      ['assistant', 2],
    ])
    expect(counted.waits.filter(({ ms }) => ms > 0).every(({ cause }) => cause === 'recovery')).toBe(true)
  })
  it('is run again newest first, as many at once as its lane has slots', async () => {
    const { data } = await crashed(['s1', 's2', 's3'])
    const order: string[] = []
    let running = 0
    const engine = await data.open({
      settings: oneAtATime(),
      run: async (turn) => {
        expect(running).toBe(0)
        running += 1
        await new Promise((resolve) => setTimeout(resolve, 20))
        order.push(turn.sessionKey)
        running -= 1
        return 'done'
      },
    })
    await eventually(() => order.length === 3)
    expect(order).toEqual(['agent:main:s3', 'agent:main:s2', 'agent:main:s1'])
    expect((await engine.store.statistics()).turnsInterrupted).toBe(0)
  })
  it('lets a new message of its session go first', async () => {
    const { data, turnIds } = await crashed(['other', 'alice'])
    const { run, release, begun, words } = gate()
    const engine = await data.open({ run, settings: oneAtATime(withTurns({ attemptsMax: 5 })) })
    // One at a time: while the newest is under way, the one before it still waits, and a message overtakes it.
    await eventually(() => begun.length === 1)
    const fresh = await engine.submit({ key: 'other', messages: 'new' })
    await eventually(() => begun.length === 2)
    expect(words()).toEqual(['to alice', 'new'])
    release('to alice')
    release('new')
    release('to other')
    expect((await engine.settled(fresh.turn.id)).turn.status).toBe('done')
    expect((await engine.settled(turnIds[0] as string)).turn.status).toBe('done')
    expect(words()).toEqual(['to alice', 'new', 'to other'])
  })
  it('is not run again when it ended the process too often', async () => {
    const { data, turnIds } = await crashed(['alice'], 2)
    const told: unknown[] = []
    const deliver: Deliver = async ({ target, outcome }) => void told.push([target, outcome?.code])
    const engine = await data.open({ run: echo, deliver, settings: withTurns({ attemptsMax: 2 }) })
    expect((await engine.settled(turnIds[0] as string)).turn).toMatchObject({
      status: 'quarantined',
      outcome: { code: 'TURN_QUARANTINED', facts: { attempts: 2 } },
    })
    await expect.poll(() => told).toEqual([['channel', 'TURN_QUARANTINED']])
    const after = await engine.submit({ key, messages: 'still there?' })
    expect((await engine.settled(after.turn.id)).turn.status).toBe('done')
  })
  it('is cancelled, not run, when it was to be cancelled', async () => {
    const data = await newData()
    const { open, crash } = crashable(sqliteStore(data.directory))
    const before = await data.open({ run: never, store: open, settings: withTurns({ graceMs: 1_500 }) })
    const { turn } = await before.submit({ key, messages: 'stop me' })
    await eventually(async () => (await before.store.listLeases()).length === 1)
    await before.cancel(turn.id, 'enough')
    await crash()
    const engine = await data.open({ run: echo })
    expect((await engine.settled(turn.id)).turn.status).toBe('cancelled')
  })
})

it('what waited when the process ended is answered at the next start', async () => {
  const data = await newData()
  const before = await data.open({ run: null })
  const { turn } = await before.submit({ key, messages: 'hello' })
  await before.close()
  const engine = await data.open({ run: echo })
  expect((await engine.settled(turn.id)).turn.status).toBe('done')
})

describe('closing', () => {
  it('lets running turns end when it is given the time', async () => {
    const data = await newData()
    const { run, release, begun } = gate()
    const engine = await data.open({ run })
    const { turn } = await engine.submit({ key, messages: 'last' })
    await eventually(() => begun.length === 1)
    const closed = engine.close({ drainMs: 20_000 })
    await expect(engine.submit({ key, messages: 'too late' })).rejects.toMatchObject({ code: 'GATEWAY_CLOSING' })
    expect(engine.health()).toMatchObject({ ready: false, draining: true })
    release('last')
    await closed
    const next = await data.open({ run: null })
    expect((await next.settled(turn.id)).turn.status).toBe('done')
  })
  it('tells the others to stop, and they run again at the next start', async () => {
    const data = await newData()
    const engine = await data.open({ run: untilAborted })
    const { turn } = await engine.submit({ key, messages: 'unfinished' })
    await eventually(async () => (await engine.why(key)).running !== null)
    const ended = engine.settled(turn.id).catch((error) => error.code)
    await engine.close()
    expect(await ended).toBe('GATEWAY_CLOSING')
    const store = await sqliteStore(data.directory)({
      holder: engine.holder,
      telemetry: silentTelemetry,
      atMs: Date.now(),
    })
    expect((await store.readTurn(turn.id))?.turn.status).toBe('interrupted')
    await store.close()
    const next = await data.open({ run: echo })
    expect((await next.settled(turn.id)).turn).toMatchObject({ status: 'done', attempts: 2 })
  })
  it('does not wait for a runner that ignores it', async () => {
    const data = await newData()
    const engine = await data.open({ run: never })
    await engine.submit({ key, messages: 'hang' })
    await eventually(async () => (await engine.why(key)).running !== null)
    const fromMs = performance.now()
    await engine.close()
    expect(performance.now() - fromMs).toBeLessThan(5_000)
  })
})

describe('turns that are not run again', () => {
  const told: [string, string | undefined][] = []
  const deliver: Deliver = async ({ sessionKey, outcome }) => void told.push([sessionKey, outcome?.code])
  const budget = (more: Partial<RecoveryBudget>): PartialSettings => ({
    ...oneAtATime(),
    recovery: { ...defaultRecoveryBudget, ...more },
  })
  const last = async (engine: Holdfast, name: string) => {
    const page = await engine.store.readEntries({ key: parseSessionKey(name), order: 'newest', limit: 1 })
    return page.entries[0]?.body
  }

  it('beyond the budget of a start are told once, and their senders hear why', async () => {
    told.length = 0
    const { data, turnIds } = await crashed(['s1', 's2', 's3'])
    const engine = await data.open({ run: echo, deliver, settings: budget({ resumesMax: 1 }) })
    const turns = await Promise.all(turnIds.map(async (id) => (await engine.settled(id)).turn))
    expect(turns.map(({ status, outcome }) => [status, outcome?.code])).toEqual([
      ['failed', 'TURN_NOT_RESUMED'],
      ['failed', 'TURN_NOT_RESUMED'],
      ['done', undefined],
    ])
    expect(turns[0]?.outcome?.facts).toEqual({ because: 'beyond the 1 resumes of one start' })
    await eventually(() => told.length === 3)
    expect(told.toSorted()).toEqual([
      ['agent:main:s1', 'TURN_NOT_RESUMED'],
      ['agent:main:s2', 'TURN_NOT_RESUMED'],
      ['agent:main:s3', undefined],
    ])
    expect(await last(engine, 's1')).toMatchObject({ code: 'TURN_NOT_RESUMED' })
    const { done } = await engine.recovery.report()
    expect(done.map((step) => [nameOf(step), step.sessionKey, step.result])).toEqual([
      ['skip failed', 'agent:main:s2', 'done'],
      ['skip failed', 'agent:main:s1', 'done'],
      ['resume', 'agent:main:s3', 'done'],
    ])
  })
  it('because they are too old are told so', async () => {
    told.length = 0
    const { data, turnIds } = await crashed(['alice'])
    await new Promise((resolve) => setTimeout(resolve, 20))
    const engine = await data.open({ run: echo, deliver, settings: budget({ ageMaxMs: 1 }) })
    expect((await engine.settled(turnIds[0] as string)).turn).toMatchObject({
      status: 'failed',
      outcome: { code: 'TURN_STALE' },
    })
    await eventually(() => told.length === 1)
    expect(told).toEqual([['agent:main:alice', 'TURN_STALE']])
  })
  it('while resumes are off wait, and run when they are asked to', async () => {
    const { data, turnIds } = await crashed(['alice'])
    const { promise: reported, resolve: goOn } = Promise.withResolvers<void>()
    const run: Runner = async (turn) => {
      if (turn.attempt > 1) await reported // else its reply may be there to deliver
      return echo(turn)
    }
    const engine = await data.open({ run, settings: budget({ enabled: false }) })
    const fresh = await engine.submit({ key: 'alice', messages: 'new' })
    expect((await engine.settled(fresh.turn.id)).turn.status).toBe('done')
    await eventually(async () => (await engine.store.statistics()).turnsInterrupted === 1)
    const { todo, state } = await engine.recovery.report()
    expect(todo).toMatchObject([{ kind: 'wait', turnId: turnIds[0], because: '`recovery.enabled` is false' }])
    expect(state).toMatchObject({ resumes: 'off', crashLoop: false })
    expect((await engine.recovery.runNow()).todo).toEqual([])
    goOn()
    expect((await engine.settled(turnIds[0] as string)).turn.status).toBe('done')
  })
  it('within the time of a resume end as any other that runs too long', async () => {
    const { data, turnIds } = await crashed(['alice'])
    const engine = await data.open({ run: untilAborted, settings: budget({ timeLimitMs: 50 }) })
    expect((await engine.settled(turnIds[0] as string)).turn).toMatchObject({
      status: 'failed',
      outcome: { code: 'TURN_TIME_LIMIT', facts: { limitMs: 50 } },
    })
  })
})

describe('a crash loop', () => {
  it('turns resumes off, answers new messages, and is over when the process has lived', async () => {
    const { data, turnIds } = await crashed(['alice'], 2)
    const settings: PartialSettings = {
      ...withTurns({ attemptsMax: 9 }),
      recovery: { ...defaultRecoveryBudget, crashLoop: { starts: 2, withinMs: 4_000 } },
    }
    const loops: boolean[] = []
    const telemetry = { ...silentTelemetry, crashLoop: (on: boolean) => void loops.push(on) }
    const engine = await data.open({ run: echo, settings, telemetry })
    await eventually(async () => (await engine.recovery.state()).crashLoop)
    expect(await engine.recovery.state()).toMatchObject({ resumes: 'off', uncleanStarts: 2 })
    expect(engine.health().ready).toBe(true)
    const fresh = await engine.submit({ key: 'alice', messages: 'new' })
    expect((await engine.settled(fresh.turn.id)).turn.status).toBe('done')
    expect((await engine.store.readTurn(turnIds[0] as string))?.turn.status).toBe('interrupted')
    expect((await engine.settled(turnIds[0] as string)).turn.status).toBe('done')
    expect(await engine.recovery.state()).toMatchObject({ resumes: 'on', crashLoop: false })
    expect(loops).toEqual([true, false])
  })
})

describe('a turn that a clean end cut short', () => {
  it('is never quarantined for it, however often that happens', async () => {
    const data = await newData()
    const settings = withTurns({ attemptsMax: 2 })
    let turnId = ''
    for (let start = 1; start <= 4; start += 1) {
      const engine = await data.open({ run: untilAborted, settings })
      if (start === 1) turnId = (await engine.submit({ key, messages: 'long' })).turn.id
      await eventually(async () => (await engine.why(key)).running !== null)
      await engine.close()
    }
    const engine = await data.open({ run: echo, settings })
    expect((await engine.settled(turnId)).turn).toMatchObject({ status: 'done', attempts: 5, handedOver: 4 })
    expect(await engine.recovery.state()).toMatchObject({ uncleanStarts: 0 })
  })
})
