import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Message, textOf } from '../../src/model/messages.ts'
import { keyOf } from './harness/api.ts'
import { type Gate, gateBefore } from './harness/gate.ts'
import { answerTo, markOf } from './harness/history.ts'
import { type Asked, echo, turnModel } from './harness/model.ts'
import { makeStand, type Stand } from './harness/stand.ts'
import { until, untilSettled } from './harness/wait.ts'

describe('a message for a session that is busy', () => {
  it('joins the turn that waits, when asked to coalesce', async () => {
    const { one, two, three, gate, first } = await busySession('join')
    const second = await api().turn('join', two, { onBusy: 'coalesce' })
    const third = await api().turn('join', three, { onBusy: 'coalesce' })
    expect([second.status, third.status]).toEqual([202, 202])
    expect(second.body.turn.id).toBe(third.body.turn.id)
    gate.open()
    expect((await first).body.choices[0]?.message.content).toBe(answerTo(one))
    await untilSettled(api())
    expect(await words('join')).toEqual([one, answerTo(one), two, three, answerTo(three)])
    expect(stand.model.askedFor(turnModel, 'join')).toHaveLength(2)
  })

  it('stops what runs and is answered, when asked to interrupt', async () => {
    const { two, gate, first } = await busySession('stop')
    const [stopped] = gate.waiting as [Asked]
    const second = await api().turn('stop', two, { onBusy: 'interrupt', wait: true })
    expect([second.status, second.body.turn.status]).toEqual([200, 'done'])
    expect((await first).body.error.code).toBe('TURN_CANCELLED')
    await until('the request to the model was given up', () => stopped.state === 'left')
    expect((await words('stop')).slice(-2)).toEqual([two, answerTo(two)])
  })

  it('is refused with a time to retry, when asked to reject', async () => {
    const { one, two, gate, first } = await busySession('reject')
    const second = await api().turn('reject', two, { onBusy: 'reject' })
    expect([second.status, second.body.error.code]).toEqual([409, 'SESSION_BUSY'])
    expect(second.body.error.retry_after_ms).toBeGreaterThan(0)
    gate.open()
    await first
    expect(await words('reject')).toEqual([one, answerTo(one)])
  })
})

it('cancels a running turn down to the request to the model, and goes on with the next', async () => {
  const { two, three, gate, first } = await busySession('cancel')
  const [stopped] = gate.waiting as [Asked]
  const second = await api().turn('cancel', two)
  const third = await api().turn('cancel', three)
  const [running] = await turnsOf('cancel')
  const cancel = (id = '') =>
    api().post<{ error: { code: string } }>(`/v1/turns/${id}/cancel`, { reason: 'not wanted' })
  expect((await cancel(second.body.turn.id)).status).toBe(200)
  expect((await cancel(running?.id)).status).toBe(200)
  await until('the request to the model was given up', () => stopped.state === 'left')
  expect((await first).body.error.code).toBe('TURN_CANCELLED')
  await untilSettled(api())
  const turns = await turnsOf('cancel')
  expect(turns.map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'done'])
  expect(turns[2]?.id).toBe(third.body.turn.id)
  const again = await cancel(running?.id)
  expect([again.status, again.body.error.code]).toEqual([409, 'TURN_SETTLED'])
})

it('begins a new transcript on a reset, also while a turn runs', async () => {
  await api().chat('reset', markOf('reset', 9))
  const { two, first } = await busySession('reset')
  const before = await api().session('reset')
  expect((await api().post(`/v1/sessions/${keyOf('reset')}/reset`, { reason: 'start again' })).status).toBe(200)
  expect((await first).body.error.code).toBe('TURN_CANCELLED')
  await api().chat('reset', two)

  const after = await api().session('reset')
  expect(after.transcript).toBe(before.transcript + 1)
  expect(after.fence).toBeGreaterThan(before.fence)
  expect(JSON.stringify(stand.model.askedFor(turnModel, 'reset').at(-1)?.messages)).not.toContain(markOf('reset', 9))
  expect(await words('reset')).toEqual([two, answerTo(two)])
  const old = await api().get<{ entries: { kind: string }[] }>(
    `/v1/sessions/${keyOf('reset')}/entries?order=oldest&limit=50&transcript=${before.transcript}`,
  )
  expect(old.entries.slice(0, 2).map(({ kind }) => kind)).toEqual(['user', 'assistant'])
})

it('keeps the answer for a client that went away in the middle of it', async () => {
  const mark = markOf('leave', 1)
  const pieces = Array.from({ length: 20 }, (_, index) => `piece ${index} `)
  stand.model.of.set('leave', { turns: () => ({ kind: 'pieces', pieces, everyMs: 20 }) })
  const left = new AbortController()
  const input = { model: 'holdfast', stream: true, messages: [{ role: 'user', content: mark }] }
  const response = await api().open('POST', '/v1/chat/completions', input, {
    headers: { 'x-session-key': keyOf('leave') },
    signal: left.signal,
  })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  left.abort()
  await expect(reader.read()).rejects.toThrow()
  await untilSettled(api())
  expect(await words('leave')).toEqual([mark, pieces.join('')])
  expect(stand.model.askedFor(turnModel, 'leave').map(({ state }) => state)).toEqual(['answered'])
})

let stand: Stand
beforeAll(async () => {
  stand = await makeStand({ turns: { coalesceWindow: '2s' } })
})
afterAll(() => stand[Symbol.asyncDispose]())

const api = () => stand.api
const turnsOf = (session: string) => api().turns(`session=${encodeURIComponent(keyOf(session))}`)

/** The model holds the answer to the session's first message. */
async function busySession(session: string) {
  const [one, two, three] = [markOf(session, 1), markOf(session, 2), markOf(session, 3)]
  const gate: Gate = gateBefore(echo, ({ messages }) => textOf(messages.at(-1) as Message) === one)
  stand.model.of.set(session, { turns: gate.behaviour })
  const first = api().chat(session, one)
  await until('the model was asked', () => gate.waiting.length === 1)
  return { one, two, three, gate, first }
}

/** What was said in the session, without events. */
async function words(session: string): Promise<string[]> {
  const entries = await api().entries(session)
  return entries.filter(({ kind }) => kind !== 'event').map(({ body }) => textOf(body as Message))
}
