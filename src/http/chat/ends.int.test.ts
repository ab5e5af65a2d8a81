import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { all, dataIn, echo, type Gateway, gated, lastText, startGateway } from '../../../test/http/gateway.ts'
import type { Runner } from '../../engine/runner.ts'
import { HoldfastError } from '../../model/errors.ts'

const curl = promisify(execFile)

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const start = (run: Runner = echo) => {
  gateway.script(run)
  return gateway
}

const user = (content: string) => ({ role: 'user' as const, content })
const inSession = (key: string, more: Record<string, string> = {}) => ({ headers: { 'x-session-key': key, ...more } })
const hello = { model: 'scripted', messages: [user('hello there')] }
const turnsOf = async (key: string) => (await gateway.call('GET', `/v1/turns?session=${key}`)).items

describe('a repeat with the same idempotency-key', () => {
  it('is the same turn 20 times over, also while it runs, streamed or not', async () => {
    const gate = gated()
    const { openai } = start(gate.runner)
    const options = inSession('once', { 'idempotency-key': 'k1' })
    const whole = Array.from({ length: 10 }, () => openai.chat.completions.create(hello, options))
    const streamed = Array.from({ length: 10 }, async () => {
      const chunks = await all(await openai.chat.completions.create({ ...hello, stream: true }, options))
      return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
    })
    await gate.started
    gate.open()
    const answers = [
      ...(await Promise.all(whole)).map(({ choices }) => choices[0]?.message.content),
      ...(await Promise.all(streamed)),
    ]
    expect(new Set(answers)).toEqual(new Set(['You said: hello there']))
    expect(gate.runs()).toBe(1)
    expect(await turnsOf('once')).toHaveLength(1)
  })

  it('gets the stored answer after it has ended, in the same completion', async () => {
    const { openai } = start()
    const options = { headers: { 'idempotency-key': 'k2' } }
    const first = await openai.chat.completions.create(hello, options)
    const again = await openai.chat.completions.create(hello, options).withResponse()
    expect(again.data).toEqual(first)
    expect(again.response.headers.get('x-holdfast-repeated')).toBe('true')
    const chunks = await all(await openai.chat.completions.create({ ...hello, stream: true }, options))
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: 'You said: hello there' })
    expect(chunks[0]?.id).toBe(first.id)
  })

  it('is refused when it asks for something else', async () => {
    const { openai } = start()
    const options = inSession('m', { 'idempotency-key': 'k3' })
    await openai.chat.completions.create(hello, options)
    const other = openai.chat.completions.create({ ...hello, messages: [user('other')] }, options)
    await expect(other).rejects.toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' })
  })
})

describe('a turn that fails', () => {
  it.each([
    ['MODEL_RATE_LIMITED', 429, 'rate_limit_error'],
    ['MODEL_AUTH', 502, 'model_error'],
    ['MODEL_TIMEOUT', 504, 'model_error'],
    ['MODEL_REJECTED', 400, 'invalid_request_error'],
  ] as const)('with %s has status %i, streamed or not', async (code, status, type) => {
    const { openai } = start(async () => {
      throw new HoldfastError(code)
    })
    await expect(openai.chat.completions.create(hello)).rejects.toMatchObject({ status, code, type })
    await expect(openai.chat.completions.create({ ...hello, stream: true })).rejects.toMatchObject({
      status,
      code,
      type,
    })
  })

  it('after the first piece is an error in the stream, without [DONE]', async () => {
    const { url } = start(async (turn) => {
      turn.emit('half an ')
      throw new HoldfastError('MODEL_MALFORMED')
    })
    const body = JSON.stringify({ ...hello, stream: true })
    const { stdout } = await curl('curl', ['-sSN', `${url}/v1/chat/completions`, '-d', body])
    const data = dataIn(stdout)
    expect(data[0].choices[0].delta.content).toBe('half an ')
    expect(data.at(-1).error).toMatchObject({ code: 'MODEL_MALFORMED', type: 'model_error' })
    const stream = await gateway.openai.chat.completions.create({ ...hello, stream: true })
    await expect(all(stream)).rejects.toMatchObject({ code: 'MODEL_MALFORMED' })
  })

  it('says so to whoever waits when it is cancelled', async () => {
    const gate = gated()
    const { openai } = start(gate.runner)
    const answer = openai.chat.completions.create(hello, inSession('c')).catch((error: unknown) => error)
    await gate.started
    const [turn] = await turnsOf('c')
    await gateway.call('POST', `/v1/turns/${turn.id}/cancel`, { reason: 'changed my mind' })
    expect(await answer).toMatchObject({ status: 409, code: 'TURN_CANCELLED' })
  })
})

describe('a busy session', () => {
  it('refuses when the request says so, with a time to come back', async () => {
    const gate = gated()
    const { openai } = start(gate.runner)
    const first = openai.chat.completions.create(hello, inSession('b'))
    await gate.started
    const options = { ...inSession('b', { 'x-on-busy': 'reject' }), maxRetries: 0 }
    const refused = await openai.chat.completions.create(hello, options).catch((error: unknown) => error)
    expect(refused).toMatchObject({ status: 409, code: 'SESSION_BUSY' })
    expect((refused as APIError).headers?.get('retry-after')).toMatch(/^\d+$/)
    gate.open()
    await first
  })

  it('answers 20 parallel posts one after the other, none lost, none doubled', async () => {
    const { openai } = start(async (turn) => `re: ${lastText(turn.messages)}`)
    const asked = Array.from({ length: 20 }, (_, index) => `message ${index}`)
    const answers = await Promise.all(
      asked.map((text) => openai.chat.completions.create({ ...hello, messages: [user(text)] }, inSession('p'))),
    )
    expect(answers.map(({ choices }) => choices[0]?.message.content)).toEqual(asked.map((text) => `re: ${text}`))
    const { entries } = await gateway.call('GET', '/v1/sessions/p/entries')
    const texts = entries.map(({ body }: { body: { content: string } }) => body.content)
    expect([...texts].sort()).toEqual([...asked, ...asked.map((text) => `re: ${text}`)].sort())
    for (const [index, text] of texts.entries()) if (index % 2 === 0) expect(texts[index + 1]).toBe(`re: ${text}`)
  })
})

describe('a client that goes away', () => {
  it.each([true, false])('does not undo an accepted message (stream: %s)', async (stream) => {
    const gate = gated()
    const { url } = start(gate.runner)
    const leave = new AbortController()
    const body = JSON.stringify({ ...hello, stream })
    const key = `gone-${stream}`
    const headers = { 'x-session-key': key }
    const asked = fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers, signal: leave.signal })
    await gate.started
    leave.abort()
    await expect(asked).rejects.toThrow()
    gate.open()
    const [{ id }] = await turnsOf(key)
    await gateway.holdfast.settled(id)
    const { entries } = await gateway.call('GET', `/v1/sessions/${key}/entries`)
    expect(entries.at(-1).body.content).toBe('You said: hello there')
    expect(gateway.logged.filter((line) => line.includes('unexpectedly'))).toEqual([])
  })

  it.each([true, false])('is no longer waited for (stream: %s)', async (stream) => {
    const gate = gated()
    const { url, holdfast } = start(gate.runner)
    const waits = [vi.spyOn(holdfast, 'follow'), vi.spyOn(holdfast, 'settled')]
    const leave = new AbortController()
    const body = JSON.stringify({ ...hello, stream })
    const asked = fetch(`${url}/v1/chat/completions`, { method: 'POST', body, signal: leave.signal })
    await gate.started
    await vi.waitFor(() => expect(waits.flatMap(({ mock }) => mock.calls)).toHaveLength(1))
    const [id, signal] = waits.flatMap(({ mock }) => mock.calls)[0] as [string, AbortSignal]
    expect(signal.aborted).toBe(false)
    leave.abort()
    await expect(asked).rejects.toThrow()
    await vi.waitFor(() => expect(signal.aborted).toBe(true))
    vi.restoreAllMocks()
    gate.open()
    await holdfast.settled(id)
  })

  it('in the middle of a stream leaves nothing behind', async () => {
    const more = Promise.withResolvers<void>()
    const { url } = start(async (turn) => {
      turn.emit('first ')
      await more.promise
      return echo(turn)
    })
    const leave = new AbortController()
    const body = JSON.stringify({ ...hello, stream: true })
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { 'x-session-key': 'mid' },
      signal: leave.signal,
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    leave.abort()
    more.resolve()
    const [{ id }] = await turnsOf('mid')
    expect((await gateway.holdfast.settled(id)).turn.status).toBe('done')
    expect(gateway.logged.filter((line) => line.includes('unexpectedly'))).toEqual([])
  })
})
