import { describe, expect, it } from 'vitest'
import { echo, eventually, gate, newData, shortLimits } from '../../../test/engine/opened.ts'
import type { ResetRule } from '../../cron/reset.ts'
import type { EventBody } from '../../model/entries.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { type Message, textOf } from '../../model/messages.ts'
import { sqliteStore } from '../../sqlite/open.ts'
import { ManualClock } from '../../testing/clock.ts'
import type { Holdfast } from '../holdfast.ts'
import type { Runner } from '../runner.ts'
import { defaultSettings } from '../settings.ts'
import type { SubmitInput } from './ask.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** An engine whose sessions are reset by this rule, on a clock of the test. */
async function underRule(rule: Partial<ResetRule>, run: Runner = echo, start = '2026-05-01T12:00:00Z') {
  const clock = new ManualClock(Date.parse(start))
  const reset = { ...defaultSettings.sessions.reset, timeZone: 'Europe/Vienna', ...rule }
  const data = await newData()
  const engine = await data.open({ run, clock, settings: { ...shortLimits, sessions: { reset } } })
  const say = async (key: string, text: string, more: Partial<SubmitInput> = {}) => {
    const submitted = await engine.submit({ key, messages: text, ...more })
    await engine.settled(submitted.turn.id)
    return submitted
  }
  return { clock, engine, say }
}

/** The current transcript. */
async function wordsOf(engine: Holdfast, key: string): Promise<string[]> {
  const page = await engine.store.readEntries({ key: parseSessionKey(key), order: 'oldest', limit: 100 })
  return page.entries.map(({ kind, body }) => (kind === 'event' ? (body as EventBody).text : textOf(body as Message)))
}

describe('a daily reset', () => {
  it('begins a new transcript with the first message after the hour, and says so in it', async () => {
    const { clock, engine, say } = await underRule({ mode: 'daily' })
    const seen = engine.events.subscribe(null)
    const resets: string[] = []
    void (async () => {
      for await (const item of seen)
        if ('event' in item && item.event.type === 'session.reset') resets.push(item.event.sessionKey)
    })()
    expect((await say('alice', 'one')).begunTranscript).toBeNull()
    clock.jumpWall(13 * hourMs)
    await say('alice', 'still night')
    clock.jumpWall(hourMs)
    expect((await say('alice', 'morning')).begunTranscript).toBe(2)
    expect((await say('alice', 'later')).begunTranscript).toBeNull()
    expect(await wordsOf(engine, 'alice')).toEqual([
      'The session was reset: daily reset at 04:00 Europe/Vienna',
      ...['morning', 'echo: morning', 'later', 'echo: later'],
    ])
    expect(resets).toEqual(['agent:main:alice'])
    const key = parseSessionKey('alice')
    const earlier = await engine.store.readEntries({ key, transcript: 1, order: 'oldest', limit: 10 })
    expect(earlier.entries).toHaveLength(4)
  })
  it('comes once a day through the changes of the clock', async () => {
    const { clock, engine, say } = await underRule({ mode: 'daily' }, echo, '2026-03-27T12:00:00Z')
    for (let day = 0; day < 4; day += 1) {
      await say('alice', `day ${day}`)
      await say('alice', 'again')
      clock.jumpWall(24 * hourMs)
    }
    expect((await engine.store.readSession(parseSessionKey('alice')))?.transcript).toBe(4)
  })
  it('does not reset a session in which nothing was said since', async () => {
    const { clock, engine, say } = await underRule({ mode: 'daily' })
    await say('alice', 'one')
    await engine.reset(parseSessionKey('alice'), 'by hand')
    clock.jumpWall(24 * hourMs)
    expect((await say('alice', 'morning')).begunTranscript).toBeNull()
    expect((await say('alice', 'later')).begunTranscript).toBeNull()
  })
})

describe('a reset after a pause', () => {
  const idle = { mode: 'idle', idleMs: hourMs } as const

  it('comes when the pause is longer', async () => {
    const { clock, say } = await underRule(idle)
    await say('alice', 'one')
    clock.jumpWall(hourMs)
    expect((await say('alice', 'two')).begunTranscript).toBeNull()
    clock.jumpWall(hourMs + 1)
    expect((await say('alice', 'three')).begunTranscript).toBe(2)
  })
  it('comes once when many messages come at once', async () => {
    const { clock, engine, say } = await underRule(idle)
    await say('alice', 'one')
    clock.jumpWall(2 * hourMs)
    const begun = await Promise.all(Array.from({ length: 20 }, (_, each) => say('alice', `at once ${each}`)))
    expect(begun.map(({ begunTranscript }) => begunTranscript).filter((found) => found !== null)).toEqual([2])
    expect((await wordsOf(engine, 'alice')).length).toBe(41)
  })
  it('does not come to a repeat of an earlier message', async () => {
    const { clock, engine, say } = await underRule(idle)
    await say('alice', 'one', { dedupeKey: 'k' })
    clock.jumpWall(2 * hourMs)
    expect(await say('alice', 'one', { dedupeKey: 'k' })).toMatchObject({ repeated: true, begunTranscript: null })
    expect((await engine.store.readSession(parseSessionKey('alice')))?.transcript).toBe(1)
  })
  it('does not come while a turn runs or waits', async () => {
    const { run, release, begun } = gate()
    const { clock, engine } = await underRule(idle, run)
    const first = await engine.submit({ key: 'alice', messages: 'slow' })
    await eventually(() => begun.length === 1)
    clock.jumpWall(2 * hourMs)
    const second = await engine.submit({ key: 'alice', messages: 'meanwhile' })
    expect(second.begunTranscript).toBeNull()
    release('slow')
    release('meanwhile')
    await Promise.all([first, second].map(({ turn }) => engine.settled(turn.id)))
    expect(await wordsOf(engine, 'alice')).toEqual(['slow', 'answer to slow', 'meanwhile', 'answer to meanwhile'])
  })
  it('comes to the kinds of session that it is for, and to no others', async () => {
    const { clock, say } = await underRule(idle)
    const keys = [
      'agent:main:main',
      'agent:main:telegram:direct:42',
      'agent:main:subagent:7',
      'agent:main:cron:a:run:1',
    ]
    for (const key of keys) await say(key, 'one')
    clock.jumpWall(2 * hourMs)
    const begun: (number | null)[] = []
    for (const key of keys) begun.push((await say(key, 'two')).begunTranscript)
    expect(begun).toEqual([2, 2, null, null])
  })
})

describe('a binding', () => {
  it('ends by age though the session is never idle', async () => {
    const { clock, engine, say } = await underRule({ ageMaxMs: 3 * hourMs })
    const begun: (number | null)[] = []
    for (let hour = 0; hour < 8; hour += 1) {
      begun.push((await say('alice', `hour ${hour}`)).begunTranscript)
      clock.jumpWall(hourMs)
    }
    expect(begun).toEqual([null, null, null, null, 2, null, null, null])
    expect((await wordsOf(engine, 'alice'))[0]).toBe('The session was reset: older than 3h')
  })
})

it('where no rule is on, no session is read at admission', async () => {
  const clock = new ManualClock()
  const data = await newData()
  const reads: string[] = []
  const engine = await data.open({
    run: null,
    clock,
    store: async (input) => {
      const store = await sqliteStore(data.directory)(input)
      return new Proxy(store, {
        get(target, name) {
          reads.push(String(name))
          const found = Reflect.get(target, name)
          return typeof found === 'function' ? found.bind(target) : found
        },
      })
    },
  })
  await engine.submit({ key: 'alice', messages: 'one' })
  expect(reads).toContain('admitTurn')
  expect(reads).not.toContain('readSession')
})
