import { describe, expect, it } from 'vitest'
import { counting, echo, eventually, gate, newData, stage } from '../../../test/engine/opened.ts'
import { defaultLaneRules } from '../../lanes/rules.ts'
import { type ErrorCode, isHoldfastError } from '../../model/errors.ts'
import { parseSessionKey } from '../../model/keys.ts'
import type { LaneRules } from '../../model/lanes.ts'
import { type Message, textOf } from '../../model/messages.ts'
import { waitCauses } from '../../model/turns.ts'
import type { SubmitInput } from './ask.ts'

const session = stage()
const alice = parseSessionKey('alice')

describe('turns of one session', () => {
  it('are all answered, in the order of their admission, one at a time', async () => {
    let running = 0
    const { engine, submit, transcript } = session(async (turn) => {
      expect(running).toBe(0)
      running += 1
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return echo(turn)
    })
    const submissions = await Promise.all(Array.from({ length: 20 }, (_, index) => submit(`m${index}`)))
    const byPosition = submissions.map(({ turn }) => turn).toSorted((a, b) => a.position - b.position)
    const details = await Promise.all(byPosition.map((turn) => engine.settled(turn.id)))
    expect(details.every(({ turn }) => turn.status === 'done')).toBe(true)
    const asked = details.map(({ inbound }) => textOf(inbound[0]?.messages[0] as Message))
    expect(new Set(asked).size).toBe(20)
    expect(await transcript()).toEqual(asked.flatMap((text) => [text, `echo: ${text}`]))
  })
  it('are one turn for one dedupe key, also in parallel, and another request under it is refused', async () => {
    const { engine, submit, transcript } = session(echo)
    const again = (text: string) => submit(text, { dedupeKey: 'once' })
    const found = await Promise.all(Array.from({ length: 20 }, () => again('hello')))
    expect(new Set(found.map(({ turn }) => turn.id)).size).toBe(1)
    expect(found.filter(({ repeated }) => !repeated)).toHaveLength(1)
    await engine.settled(found[0]?.turn.id as string)
    expect((await again('hello')).turn.status).toBe('done')
    await expect(again('other')).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
    expect(await transcript()).toEqual(['hello', 'echo: hello'])
  })
  it('see what was said before, and are told what they are asked', async () => {
    const seen: (readonly Message[])[] = []
    const { ask } = session(async (turn) => {
      seen.push(turn.context)
      return 'fine'
    })
    await ask('one')
    await ask('two', { instructions: [{ role: 'system', content: 'be brief' }] })
    expect(seen[1]).toEqual([
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'fine' },
      { role: 'user', content: 'two' },
    ])
  })
  it('store what their runner appends at once, in order', async () => {
    const call = { id: 'c1', type: 'function' as const, function: { name: 'look', arguments: '{}' } }
    const { ask, transcript } = session(async (turn) => {
      const [first, second] = await Promise.all([
        turn.append([{ role: 'assistant', content: null, tool_calls: [call] }]),
        turn.append([{ role: 'tool', tool_call_id: 'c1', content: 'found' }]),
      ])
      expect([first?.[0]?.seq, second?.[0]?.seq]).toEqual([2, 3])
      expect(second?.[0]?.parentId).toBe(first?.[0]?.id)
      return 'done'
    })
    expect((await ask('look')).turn).toMatchObject({ status: 'done', outcome: null })
    expect(await transcript()).toEqual(['look', '', 'found', 'done'])
  })
  it('wait for nothing but what is named: every cause is told for every turn', async () => {
    const { ask, counted } = session(echo)
    counted.waits.length = 0
    await Promise.all([ask('one'), ask('two')])
    expect(counted.waits.map(({ cause }) => cause)).toEqual([...waitCauses, ...waitCauses])
    expect(counted.waits.filter(({ cause, ms }) => cause === 'compaction' && ms !== 0)).toEqual([])
  })
})

describe('what a caller may not send', () => {
  it.each<[ErrorCode, Partial<SubmitInput>]>([
    ['REQUEST_INVALID', { messages: [] }],
    ['REQUEST_INVALID', { messages: [{ role: 'assistant', content: 'I said' }] }],
    ['REQUEST_INVALID', { messages: [{ role: 'system', content: 'only' }] }],
    ['REQUEST_INVALID', { messages: 'x', dedupeKey: '' }],
    ['SESSION_KEY_INVALID', { key: 'a/../b', messages: 'x' }],
    ['CONTEXT_TOO_LARGE', { messages: 'word '.repeat(40_000) }],
  ])('is refused with %s, and nothing is written', async (code, input) => {
    const { key, submit, engine } = session(echo)
    await expect(submit('', input)).rejects.toSatisfy((error) => isHoldfastError(error, code))
    expect(await engine.store.readSession(key)).toBeNull()
  })
  it('is replaced where it is half a character, and stored', async () => {
    const { ask, transcript } = session(echo)
    await ask('a\ud800b')
    expect(await transcript()).toEqual(['a\ufffdb', 'echo: a\ufffdb'])
  })
})

describe('a runner that fails', () => {
  it('ends its turn with a code, which people see in the transcript and the model does not', async () => {
    const contexts: (readonly Message[])[] = []
    const { ask, transcript } = session(async (turn) => {
      contexts.push(turn.context)
      if (contexts.length === 1) throw new TypeError('secret words')
      return 'fine'
    })
    const { turn } = await ask('one')
    expect(turn).toMatchObject({ status: 'failed', outcome: { code: 'RUNNER_FAILED', facts: { name: 'TypeError' } } })
    await ask('two')
    expect(await transcript()).toEqual(['one', '(RUNNER_FAILED)', 'two', 'fine'])
    expect(JSON.stringify(contexts[1])).not.toContain('RUNNER_FAILED')
  })
  it.each([{ messages: [{ role: 'user', content: 'x' }] }, { text: 'x' }, null, 7])(
    'fails too when it returns %j',
    async (result) => {
      const { ask } = session(async () => result as never)
      expect((await ask('one')).turn).toMatchObject({ status: 'failed', outcome: { code: 'RUNNER_FAILED' } })
    },
  )
})

describe('a message for a busy session', () => {
  it('interrupts the running turn and goes before those that wait', async () => {
    const { run, release, begun, words } = gate()
    const { engine, submit } = session(run)
    const first = await submit('first')
    await eventually(() => begun.length === 1)
    await submit('waiting')
    const urgent = await submit('urgent', { onBusy: 'interrupt' })
    expect(urgent.interruptedTurnId).toBe(first.turn.id)
    expect((await engine.settled(first.turn.id)).turn.status).toBe('cancelled')
    release('urgent')
    release('waiting')
    await eventually(() => begun.length === 3)
    expect(words()).toEqual(['first', 'urgent', 'waiting'])
  })
  it('joins those that came within the window, and they are one turn', async () => {
    const { run, release, begun, words } = gate()
    const { engine, submit } = session(run)
    const submissions = await Promise.all(['a', 'b', 'c'].map((text) => submit(text, { onBusy: 'coalesce' })))
    expect(submissions.filter(({ coalesced }) => coalesced)).toHaveLength(2)
    expect(new Set(submissions.map(({ turn }) => turn.id)).size).toBe(1)
    await eventually(() => begun.length === 1)
    expect(words()).toEqual(['a + b + c'])
    release('a + b + c')
    expect((await engine.settled(submissions[0]?.turn.id as string)).inbound).toHaveLength(3)
  })
  it('starts when the window closes, and not when somebody happens to look', async () => {
    const { ask } = session(echo)
    const fromMs = performance.now()
    for (let round = 0; round < 8; round += 1) await ask(`m${round}`, { onBusy: 'coalesce' })
    // Eight windows of 150 ms; looking once a second alone would take about 8 s.
    expect(performance.now() - fromMs).toBeLessThan(5_000)
  })
  it('is refused with a code when that was asked for', async () => {
    const { run, release } = gate()
    const { engine, submit } = session(run)
    const first = await submit('first')
    await expect(submit('second', { onBusy: 'reject' })).rejects.toMatchObject({ code: 'SESSION_BUSY' })
    release('first')
    await engine.settled(first.turn.id)
    expect((await submit('first', { onBusy: 'reject' })).turn.status).toBe('queued')
  })
})

const withMain = (concurrency: number): LaneRules => ({
  ...defaultLaneRules,
  lanes: { ...defaultLaneRules.lanes, main: { ...defaultLaneRules.lanes.main, concurrency } },
})

it('a lane that is full is named as the cause, for as long as it was', async () => {
  const counted = counting()
  const { run, release, begun } = gate()
  const engine = await (await newData()).open({ run, settings: { lanes: withMain(1) }, telemetry: counted.telemetry })
  await engine.submit({ key: alice, messages: 'first' })
  await eventually(() => begun.length === 1)
  const second = await engine.submit({ key: 'bob', messages: 'second' })
  await new Promise((resolve) => setTimeout(resolve, 50))
  release('first')
  release('second')
  await engine.settled(second.turn.id)
  const lane = counted.waits.filter(({ cause }) => cause === 'lane').map(({ ms }) => ms)
  expect(lane[0]).toBe(0)
  expect(lane[1]).toBeGreaterThanOrEqual(45)
})

it('a source that has its share of a lane waits for it, and says so, while another starts at once', async () => {
  const counted = counting()
  const { run, release, begun, words } = gate()
  const engine = await (await newData()).open({ run, settings: { lanes: withMain(2) }, telemetry: counted.telemetry })
  await engine.submit({ key: alice, messages: 'first', source: 'flood' })
  await eventually(() => begun.length === 1)
  const second = await engine.submit({ key: 'bob', messages: 'second', source: 'flood' })
  const other = await engine.submit({ key: 'carol', messages: 'other', source: 'quiet' })
  await eventually(() => begun.length === 2)
  expect(words()).toEqual(['first', 'other'])
  release('other')
  await engine.settled(other.turn.id)
  expect((await engine.why(parseSessionKey('bob'))).next).toContain('a slot of the lane "main" is free for it')
  await new Promise((resolve) => setTimeout(resolve, 50))
  release('first')
  release('second')
  await engine.settled(second.turn.id)
  const lane = counted.waits.filter(({ cause }) => cause === 'lane').map(({ ms }) => ms)
  expect(lane.slice(0, 2)).toEqual([0, 0])
  expect(lane[2]).toBeGreaterThanOrEqual(45)
})
