import { beforeEach, describe, expect, it } from 'vitest'
import {
  answers,
  begin,
  breaksAfter,
  chunk,
  done,
  fails,
  hangs,
  RoughModel,
  sends,
  usageChunk,
} from '../../test/provider/rough-model.ts'
import type { AnswerDelta, RunningTurn, RunResult } from '../engine/runner.ts'
import { systemClock } from '../host/clock.ts'
import { silentLog } from '../host/log.ts'
import { parseSessionKey } from '../model/keys.ts'
import type { Message } from '../model/messages.ts'
import type { EndpointOptions } from './endpoint.ts'
import { openaiRunner } from './openai.ts'
import { openaiSummarizer } from './summarize.ts'

let model: RoughModel

beforeEach(async () => {
  model = await RoughModel.open()
})

interface Ran {
  result: RunResult
  emitted: AnswerDelta[]
  notes: string[]
  restarts: number
}

const key = parseSessionKey('alice')
const patiently = { timeout: 10_000 }
const quick = { attemptsMax: 3, budgetMs: 5_000, backoffMs: { first: 10, max: 40 } }

async function run(given: {
  params?: Record<string, unknown>
  streaming?: boolean
  signal?: AbortSignal
  endpoint?: Partial<EndpointOptions>
  seen?: Partial<Ran>
}): Promise<Ran> {
  const seen = Object.assign(given.seen ?? {}, { emitted: [], notes: [], restarts: 0 }) as unknown as Ran
  const messages: Message[] = [{ role: 'user', content: 'Hello?' }]
  const turn: RunningTurn = {
    id: 'turn-1',
    sessionKey: key,
    attempt: 1,
    messages,
    instructions: [],
    params: given.params ?? {},
    streaming: given.streaming ?? false,
    context: [{ role: 'system', content: 'Be brief.' }, ...messages],
    signal: given.signal ?? new AbortController().signal,
    append: () => Promise.reject(new Error('not used')),
    emit: (delta) => {
      seen.emitted.push(delta as AnswerDelta)
    },
    restart: () => {
      seen.restarts += 1
    },
    progress: (note) => {
      seen.notes.push(note)
    },
  }
  const options = {
    baseUrl: model.baseUrl,
    model: 'small',
    apiKey: null,
    retry: quick,
    clock: systemClock,
    log: silentLog,
    ...given.endpoint,
  }
  seen.result = (await openaiRunner(options)(turn)) as RunResult
  return seen
}

describe('openaiRunner', () => {
  it('passes the request on as it came, and asks for a stream with its usage', async () => {
    model.behaviours = [answers('Hi')]
    await run({ params: { temperature: 0.5, tools: [{ type: 'function' }], new_field: { a: 1 } } })
    expect(model.requests[0]?.body).toEqual({
      temperature: 0.5,
      tools: [{ type: 'function' }],
      new_field: { a: 1 },
      model: 'small',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello?' },
      ],
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  it('emits the pieces unchanged and returns the answer, why it ended and what it cost', async () => {
    const call = { index: 0, id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }
    const deltas: AnswerDelta[] = [{ role: 'assistant', reasoning: 'hm' }, { content: 'Hi' }, { tool_calls: [call] }]
    model.behaviours = [sends(...deltas.map((delta) => chunk(delta)), chunk({}, 'tool_calls'), usageChunk, done)]
    const { result, emitted } = await run({ streaming: true })
    expect(emitted).toEqual([...deltas, {}])
    const { index: _, ...stored } = call
    expect(result).toEqual({
      messages: [{ role: 'assistant', reasoning: 'hm', content: 'Hi', tool_calls: [stored] }],
      finishReason: 'tool_calls',
      usage: { promptTokens: 9, completionTokens: 3, totalTokens: 12 },
    })
  })

  it('sends the key as a bearer token, and nothing about this machine', async () => {
    model.behaviours = [answers('Hi')]
    await run({ endpoint: { apiKey: 'secret' } })
    await run({})
    expect(model.requests[0]?.headers.authorization).toBe('Bearer secret')
    expect(model.requests[1]?.headers.authorization).toBeUndefined()
    const names = Object.keys(model.requests[0]?.headers ?? {})
    expect(names.filter((name) => name.startsWith('x-stainless') || name.startsWith('openai-'))).toEqual([])
  })

  it('waits as long as a rate limit says, then asks again', async () => {
    model.behaviours = [fails(429, { message: 'slow down' }, { 'retry-after-ms': '300' }), answers('Hi')]
    const startMs = performance.now()
    const { result, notes } = await run({})
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(290)
    expect(result.messages[0]?.content).toBe('Hi')
    expect(notes).toContain('MODEL_RATE_LIMITED: asks the model again in 300 ms')
  })

  it('does not wait for a rate limit beyond its budget', async () => {
    model.behaviours = [fails(429, { message: 'slow down' }, { 'retry-after': '600' })]
    await expect(run({})).rejects.toMatchObject({ code: 'MODEL_RATE_LIMITED', retryAfterMs: 600_000 })
    expect(model.requests).toHaveLength(1)
  })

  it('asks again after a failure of the server, up to its attempts', async () => {
    model.behaviours = [fails(500, { message: 'oops' })]
    await expect(run({})).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', facts: { status: 500 } })
    expect(model.requests).toHaveLength(3)
  })

  it('names the reason when nobody listens', async () => {
    await model.close()
    await expect(run({})).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      facts: { because: 'ECONNREFUSED' },
    })
  })

  it.each([
    [400, 'MODEL_REJECTED'],
    [404, 'MODEL_REJECTED'],
    [401, 'MODEL_AUTH'],
    [403, 'MODEL_AUTH'],
  ])('does not repeat a request that was answered with %i', async (status, code) => {
    model.behaviours = [fails(status, { message: 'no '.repeat(300), code: 'bad' })]
    await expect(run({})).rejects.toMatchObject({ code, facts: { status, providerCode: 'bad' } })
    expect(model.requests).toHaveLength(1)
  })

  it.each([
    { message: "This model's maximum context length is 8192 tokens", code: 'context_length_exceeded' },
    { message: 'the request exceeds the available context size (4096 tokens)' },
  ])('says that the context was too long: $message', async (error) => {
    model.behaviours = [fails(400, error)]
    await expect(run({})).rejects.toMatchObject({ code: 'MODEL_REJECTED', facts: { contextTooLong: true } })
  })

  it('tells what the provider said, cut, and not about a refused key', async () => {
    model.behaviours = [fails(400, { message: 'no '.repeat(300) })]
    await expect(run({})).rejects.toMatchObject({ facts: { providerMessage: 'no '.repeat(100) } })
    model.behaviours = [fails(401, { message: 'Incorrect API key: sk-12***' })]
    const refused = await run({}).catch((error: { facts: object }) => error)
    expect(JSON.stringify((refused as { facts: object }).facts)).not.toContain('sk-12')
  })

  it.each([
    ['a connection that breaks in the middle', breaksAfter(chunk({ content: 'Ha' })), 'MODEL_UNAVAILABLE'],
    ['garbage instead of JSON', sends(chunk({ content: 'Ha' }), 'data: {nonsense\n\n'), 'MODEL_MALFORMED'],
    ['an end without a finish_reason', sends(chunk({ content: 'Ha' }), done), 'MODEL_MALFORMED'],
    ['a body that is no stream', sends('<html>Welcome</html>'), 'MODEL_MALFORMED'],
    ['an error in the stream', sends('data: {"error":{"message":"overloaded"}}\n\n'), 'MODEL_UNAVAILABLE'],
    ['no words at all', sends(chunk({ role: 'assistant', content: '' }), chunk({}, 'stop'), done), 'MODEL_EMPTY'],
  ])('asks again after %s, when nobody reads along', async (_name, behaviour, code) => {
    model.behaviours = [behaviour, answers('Hi')]
    const { result } = await run({})
    expect(result.messages).toEqual([{ role: 'assistant', content: 'Hi' }])
    model.behaviours = [behaviour]
    await expect(run({})).rejects.toMatchObject({ code })
  })

  it('tells followers that the answer begins again', async () => {
    model.behaviours = [breaksAfter(chunk({ content: 'Ha' })), answers('Hi')]
    expect(await run({})).toMatchObject({ restarts: 1 })
    model.behaviours = [fails(503, {}), answers('Hi')]
    expect(await run({})).toMatchObject({ restarts: 0 })
  })

  it('does not begin again once a reader has seen words', async () => {
    model.behaviours = [breaksAfter(chunk({ content: 'Ha' })), answers('Hi')]
    await expect(run({ streaming: true })).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' })
    expect(model.requests).toHaveLength(1)
  })

  it('begins again for a reader who has seen no words yet', async () => {
    model.behaviours = [breaksAfter(chunk({ role: 'assistant', content: '' })), answers('Hi')]
    expect(await run({ streaming: true })).toMatchObject({ restarts: 1 })
  })

  it('gives up a server that accepts the request and says nothing', async () => {
    model.behaviours = [hangs, answers('Hi')]
    const { result, notes } = await run({ endpoint: { quietLimitMs: 150 } })
    expect(result.messages[0]?.content).toBe('Hi')
    expect(notes.join()).toContain('MODEL_TIMEOUT')
    expect(model.closedEarly).toBe(1)
  })

  it('is patient with a slow server that goes on', async () => {
    model.behaviours = [
      (response) => {
        begin(response)
        let sent = 0
        const timer = setInterval(() => {
          sent += 1
          response.write(chunk({ content: `${sent} ` }))
          if (sent < 8) return
          clearInterval(timer)
          response.end(chunk({}, 'stop') + done)
        }, 50)
      },
    ]
    const { result } = await run({ endpoint: { quietLimitMs: 300 } })
    expect(result.messages[0]?.content).toBe('1 2 3 4 5 6 7 8 ')
    expect(result.usage).toBeUndefined()
  })

  it('takes an answer for complete once it has ended, even when the server does not hang up', async () => {
    model.behaviours = [(response) => begin(response).write(chunk({ content: 'Hi' }) + chunk({}, 'stop'))]
    const { result } = await run({ endpoint: { quietLimitMs: 150 } })
    expect(result.messages[0]?.content).toBe('Hi')
  })

  it('takes a cancellation through to the request', async () => {
    model.behaviours = [(response) => begin(response).write(chunk({ content: 'Ha' }))]
    const cancelled = new AbortController()
    const reason = new Error('cancelled')
    const seen: Partial<Ran> = {}
    const ended = run({ signal: cancelled.signal, seen })
    await expect.poll(() => seen.emitted?.length, patiently).toBe(1)
    cancelled.abort(reason)
    await expect(ended).rejects.toBe(reason)
    await expect.poll(() => model.closedEarly, patiently).toBe(1)
    expect(model.requests).toHaveLength(1)
  })

  it('does without token counts where a server refuses to be asked for them', async () => {
    model.behaviours = [fails(400, { message: 'unknown field: stream_options' }), answers('Hi')]
    await run({})
    expect(model.requests.map((request) => 'stream_options' in request.body)).toEqual([true, false])
  })
})

describe('openaiSummarizer', () => {
  const job = {
    sessionKey: key,
    previous: 'They chose the harbour.',
    entries: [
      { kind: 'user' as const, message: { role: 'user' as const, content: 'And which wine?' } },
      { kind: 'assistant' as const, message: { role: 'assistant' as const, content: 'A Riesling.' } },
    ],
    tokensMax: 500,
    signal: new AbortController().signal,
  }

  it('shows the note so far and the conversation, and gives back the note', async () => {
    model.behaviours = [answers('<think>Let me see.</think>\n', 'Harbour; Riesling.')]
    const summarize = openaiSummarizer({
      baseUrl: model.baseUrl,
      model: 'small',
      apiKey: null,
      clock: systemClock,
      log: silentLog,
    })
    expect(await summarize(job)).toBe('Harbour; Riesling.')
    const sent = JSON.stringify(model.requests[0]?.body.messages)
    for (const words of ['They chose the harbour.', 'user: And which wine?', 'assistant: A Riesling.']) {
      expect(sent).toContain(words)
    }
  })
})
