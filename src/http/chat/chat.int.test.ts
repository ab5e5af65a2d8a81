import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import OpenAI, { type APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { all, dataIn, echo, type Gateway, startGateway } from '../../../test/http/gateway.ts'
import type { Runner, RunningTurn } from '../../engine/runner.ts'
import { HoldfastError } from '../../model/errors.ts'
import { textOf } from '../../model/messages.ts'

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

describe('the official client', () => {
  it('gets a whole answer', async () => {
    const { openai } = start()
    const { data, response } = await openai.chat.completions.create(hello, inSession('alice')).withResponse()
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'scripted',
      choices: [{ index: 0, message: { role: 'assistant', content: 'You said: hello there' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
    })
    expect(response.headers.get('x-session-key')).toBe('agent:main:alice')
    expect(data.id).toBe(`chatcmpl-${response.headers.get('x-turn-id')}`)
    expect(response.headers.get('x-holdfast-repeated')).toBe('false')
  })

  it('gets a streamed answer, role first, with usage when it asks for it', async () => {
    const { openai } = start()
    const stream = await openai.chat.completions.create({
      ...hello,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await all(stream)
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: 'You ' })
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('You said: hello there')
    expect(new Set(chunks.map(({ id, created }) => `${id} ${created}`)).size).toBe(1)
    expect(chunks.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' })
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 12 } })
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)
  })

  it('gets the helper of the client to work as well', async () => {
    const { openai } = start()
    const final = await openai.chat.completions.stream(hello).finalChatCompletion()
    expect(final.choices[0]?.message.content).toBe('You said: hello there')
  })

  it('sees the models under all of their names', async () => {
    const { openai } = start()
    expect((await all(openai.models.list())).map(({ id }) => id)).toEqual(['scripted', 'holdfast'])
    await expect(openai.chat.completions.create({ ...hello, model: 'holdfast' })).resolves.toBeTruthy()
  })

  it('gets tool calls, whole and streamed, and sends their results', async () => {
    const call = { id: 'call_1', type: 'function' as const, function: { name: 'clock', arguments: '{}' } }
    const seen: RunningTurn[] = []
    const { openai } = start(async (turn) => {
      seen.push(turn)
      const isResult = turn.messages.at(-1)?.role === 'tool'
      return {
        messages: [
          { role: 'assistant', content: isResult ? 'noon' : null, ...(isResult ? {} : { tool_calls: [call] }) },
        ],
      }
    })
    const first = await openai.chat.completions.create(hello, inSession('tools'))
    expect(first.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [call] } })
    const message = first.choices[0]?.message as OpenAI.ChatCompletionMessage
    const second = await openai.chat.completions.create(
      { ...hello, messages: [...hello.messages, message, { role: 'tool', tool_call_id: 'call_1', content: '12:00' }] },
      inSession('tools'),
    )
    expect(second.choices[0]?.message.content).toBe('noon')
    expect(seen[1]?.messages).toEqual([{ role: 'tool', tool_call_id: 'call_1', content: '12:00' }])
    const streamed = await all(await openai.chat.completions.create({ ...hello, stream: true }))
    expect(streamed[0]?.choices[0]?.delta.tool_calls).toEqual([{ index: 0, ...call }])
    expect(streamed.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls')
  })

  it('is not made to send a message twice by its own retries', async () => {
    let runs = 0
    const { url } = start(async () => {
      runs += 1
      throw new HoldfastError('MODEL_UNAVAILABLE')
    })
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 3 })
    const failure = await openai.chat.completions.create(hello, inSession('twice')).catch((error: unknown) => error)
    expect(failure).toMatchObject({ status: 502, code: 'MODEL_UNAVAILABLE' })
    expect((failure as APIError).headers?.get('x-session-key')).toBe('agent:main:twice')
    expect(runs).toBe(1)
    expect(await turnsOf('twice')).toHaveLength(1)
  })
})

describe('curl', () => {
  it('gets a stream that ends with [DONE]', async () => {
    const { url } = start()
    const body = JSON.stringify({ ...hello, stream: true })
    const { stdout } = await curl('curl', ['-sSN', `${url}/v1/chat/completions`, '-d', body])
    expect(dataIn(stdout).at(-1)).toBe('[DONE]')
    expect(stdout).toMatch(/^data: \{"id":"chatcmpl-/)
  })

  it('may send the request in chunks, without a length', async () => {
    const { url } = start()
    const body = JSON.stringify({ ...hello, stream: true })
    const chunked = ['-H', 'transfer-encoding: chunked', '-d', body]
    const { stdout } = await curl('curl', ['-sSN', `${url}/v1/chat/completions`, ...chunked])
    expect(dataIn(stdout).at(-1)).toBe('[DONE]')
  })

  it('gets a whole answer without naming a model or a content type', async () => {
    const { url } = start()
    const body = JSON.stringify({ messages: hello.messages })
    const { stdout } = await curl('curl', ['-sS', `${url}/v1/chat/completions`, '-d', body])
    expect(JSON.parse(stdout).choices[0].message.content).toBe('You said: hello there')
  })
})

describe('the session', () => {
  const keyOf = async (body: object, headers: Record<string, string> = {}) => {
    const response = await gateway.fetch('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(body),
      headers,
    })
    expect(response.status).toBe(200)
    return response.headers.get('x-session-key')
  }

  it('comes from a header, from `user`, or is a new one', async () => {
    start()
    expect(await keyOf(hello, { 'x-session-key': 'a', 'x-openclaw-session-key': 'b' })).toBe('agent:main:a')
    expect(await keyOf(hello, { 'x-openclaw-session-key': 'agent:work:main' })).toBe('agent:work:main')
    expect(await keyOf({ ...hello, user: 'u-1' })).toBe('agent:main:user:u-1')
    const [one, two] = [await keyOf(hello), await keyOf(hello)]
    expect(one).toMatch(/^agent:main:chat:[0-9a-f-]{36}$/)
    expect(one).not.toBe(two)
  })

  it('keeps the history, so that only what is new is taken from a request', async () => {
    const contexts: string[][] = []
    const { openai } = start(async (turn) => {
      contexts.push(turn.context.map((message) => `${message.role}: ${textOf(message)}`))
      return `answer ${contexts.length}`
    })
    const system = { role: 'system' as const, content: 'Be brief.' }
    await openai.chat.completions.create({ ...hello, messages: [system, user('one')] }, inSession('h'))
    await openai.chat.completions.create(
      {
        ...hello,
        messages: [system, user('edited'), { role: 'assistant', content: 'edited' }, user('two'), user('three')],
      },
      inSession('h'),
    )
    expect(contexts[1]).toEqual(['system: Be brief.', 'user: one', 'assistant: answer 1', 'user: two', 'user: three'])
  })

  it('passes images and unknown fields through to the runner', async () => {
    const seen: RunningTurn[] = []
    start(async (turn) => {
      seen.push(turn)
      return 'seen'
    })
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' }, extra: 1 }
    const audio = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }
    await keyOf({
      model: 'scripted',
      temperature: 0.5,
      x_unknown: { deep: [1] },
      messages: [{ role: 'user', content: [{ type: 'text', text: 'what is it' }, image, audio], x_field: true }],
    })
    expect(seen[0]?.params).toEqual({ temperature: 0.5, x_unknown: { deep: [1] } })
    expect(seen[0]?.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'what is it' }, image, audio], x_field: true },
    ])
  })
})
