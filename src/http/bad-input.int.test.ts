import { execFile } from 'node:child_process'
import { request as httpRequest } from 'node:http'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from '../../test/http/gateway.ts'
import { completionSchema } from './chat/answer.ts'
import { errorBodySchema } from './errors.ts'

const run = promisify(execFile)
const bodyMax = 128 * 1024

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway({ bodyMax, settings: { context: { windowTokens: 2_000, answerTokens: 500 } } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const chat = (body: unknown, headers: Record<string, string> = {}) =>
  gateway.fetch('/v1/chat/completions', {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'x-session-key': 'bad', ...headers },
  })
const asking = (...messages: unknown[]) => ({ messages })
const deep = `{"messages":[{"role":"user","content":"a"}],"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
const words = (count: number) => Array.from({ length: count }, (_, index) => `word${index}`).join(' ')

/** Refused so, and nothing of it in the store. */
async function expectRefusal(response: Response, status: number, code: string, param?: string | null): Promise<string> {
  const body = errorBodySchema.parse(await response.json())
  expect({ status: response.status, code: body.error.code }).toEqual({ status, code })
  if (param !== undefined) expect(body.error.param).toBe(param)
  expect(await gateway.holdfast.store.statistics()).toMatchObject({ sessions: 0, entries: 0, turnsQueued: 0 })
  return body.error.message
}

async function answerIn(response: Response): Promise<unknown> {
  return completionSchema.parse(await response.json()).choices[0]?.message.content
}

describe('a chat completion request', () => {
  it.each<[string, unknown, string | null]>([
    ['that is not JSON', '{"messages": [', null],
    ['with nothing in it', '', 'messages'],
    ['that is a list', '[]', 'the body'],
    ['that is null', 'null', 'the body'],
    ['nested 20,000 deep', deep, null],
    ['without messages', {}, 'messages'],
    ['with no message', asking(), 'messages'],
    ['with messages of a wrong type', { messages: 'hello' }, 'messages'],
    ['with a message that is no object', asking('hello'), 'messages[0]'],
    ['with an unknown role', asking({ role: 'wizard', content: 'a' }), 'messages[0].role'],
    ['with the role of another time', asking({ role: 'function', name: 'f', content: 'a' }), 'messages[0].role'],
    ['without a role', asking({ content: 'a' }), 'messages[0].role'],
    ['without a user message', asking({ role: 'system', content: 'a' }), 'messages'],
    [
      'that ends with the assistant',
      asking({ role: 'user', content: 'a' }, { role: 'assistant', content: 'b' }),
      'messages',
    ],
    ['with a number for content', asking({ role: 'user', content: 7 }), 'messages[0].content'],
    ['with null for content', asking({ role: 'user', content: null }), 'messages[0].content'],
    ['with a part that has no type', asking({ role: 'user', content: [{ text: 'a' }] }), 'messages[0].content'],
    [
      'with a text part without text',
      asking({ role: 'user', content: [{ type: 'text' }] }),
      'messages[0].content[0].text',
    ],
    [
      'with an image without an address',
      asking({ role: 'user', content: [{ type: 'image_url' }] }),
      'messages[0].content[0].image_url.url',
    ],
    ['with a tool result for no call', asking({ role: 'tool', content: 'a' }), 'messages[0].tool_call_id'],
    ['that wants two answers', { n: 2, ...asking({ role: 'user', content: 'a' }) }, 'n'],
    ['with a text for `stream`', { stream: 'yes', ...asking({ role: 'user', content: 'a' }) }, 'stream'],
    ['with a number for `user`', { user: 7, ...asking({ role: 'user', content: 'a' }) }, 'user'],
  ])('%s is refused', async (_, body, param) => {
    await expectRefusal(await chat(body), 400, 'REQUEST_INVALID', param)
  })

  it('says where it stops being JSON, and quotes nothing of it', async () => {
    const message = await expectRefusal(await chat('{"secret": "my words" oops'), 400, 'REQUEST_INVALID')
    expect(message).toMatch(/not JSON at character \d+/)
    expect(message).not.toMatch(/words|oops/)
  })

  it('with more new messages than one turn may have is refused', async () => {
    const many = Array.from({ length: 2_001 }, () => ({ role: 'user', content: '' }))
    expect(await expectRefusal(await chat(asking(...many)), 400, 'REQUEST_INVALID')).toContain('2000 new messages')
  })

  it('for an unknown model is refused', async () => {
    const body = { model: 'gpt-x', ...asking({ role: 'user', content: 'a' }) }
    const message = await expectRefusal(await chat(body), 404, 'model_not_found', 'model')
    expect(message).toContain('scripted')
  })

  it('that is too large even without history is refused', async () => {
    const body = asking({ role: 'user', content: words(3_000) })
    await expectRefusal(await chat(body), 400, 'context_length_exceeded')
    const streamed = await chat({ ...body, stream: true })
    await expectRefusal(streamed, 400, 'context_length_exceeded')
  })

  it.each(['a b', '', 'x'.repeat(256), 'a..b', 'a/b', '../etc', 'agent:Main:x', 'agent::x'])(
    'for the session key %j is refused',
    async (key) => {
      const response = await chat(asking({ role: 'user', content: 'a' }), { 'x-session-key': key })
      await expectRefusal(response, 400, 'SESSION_KEY_INVALID')
    },
  )
})

describe('a body over the limit', () => {
  const large = JSON.stringify(asking({ role: 'user', content: 'a'.repeat(bodyMax) }))

  it('is refused by its length', async () => {
    await expectRefusal(await chat(large), 413, 'REQUEST_TOO_LARGE')
  })

  it('is refused in chunks, without a length', async () => {
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const outgoing = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST' }, (incoming) => {
        let text = ''
        incoming.on('data', (chunk) => (text += chunk))
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }))
      })
      outgoing.on('error', reject)
      for (let offset = 0; offset < large.length; offset += 8_192) outgoing.write(large.slice(offset, offset + 8_192))
      outgoing.end()
    })
    await expectRefusal(new Response(answer.text, { status: answer.status }), 413, 'REQUEST_TOO_LARGE')
  })

  it('is refused before curl has sent all of it', async () => {
    const limits = ['-sS', '--max-time', '20', '-w', '%{http_code}', '-o', '/dev/null']
    const large = Buffer.alloc(8 * bodyMax, 'a')
    const sent = run('curl', [...limits, '--data-binary', '@-', `${gateway.url}/v1/chat/completions`])
    sent.child.stdin?.on('error', () => {}) // curl may stop reading once it has the answer
    sent.child.stdin?.end(large)
    expect((await sent).stdout).toBe('413')
  })
})

describe('the native API', () => {
  const post = (path: string, body: unknown) => gateway.fetch(path, { method: 'POST', body: JSON.stringify(body) })
  const text = 'a'

  it.each<[string, object, string]>([
    ['neither text nor messages', {}, 'the body'],
    ['both', { text, messages: [{ role: 'user', content: text }] }, 'the body'],
    ['an answer in place of a question', { messages: [{ role: 'assistant', content: text }] }, 'messages'],
    ['an unknown field', { text, onbusy: 'queue' }, 'the body'],
    ['an unknown policy', { text, onBusy: 'wait' }, 'onBusy'],
    ['an unknown lane', { text, lane: 'fast' }, 'lane'],
    ['two ways to answer', { text, wait: true, stream: true }, 'the body'],
    ['a dedupe key over 255 characters', { text, dedupeKey: 'x'.repeat(256) }, 'dedupeKey'],
  ])('refuses a turn with %s', async (_, body, param) => {
    await expectRefusal(await post('/v1/sessions/bad/turns', body), 400, 'REQUEST_INVALID', param)
  })

  it.each([
    '/v1/sessions?limit=0',
    '/v1/sessions?limit=ten',
    '/v1/sessions?limit=501',
    '/v1/sessions?kind=club',
    '/v1/sessions?busy=maybe',
    '/v1/sessions?limt=5',
    '/v1/turns?status=queued,lost',
    '/v1/turns?order=up',
    '/v1/search',
    '/v1/sessions/bad/entries?after=-1',
    '/v1/sessions/bad/entries?kinds=user,video',
  ])('refuses %s', async (path) => {
    await expectRefusal(await gateway.fetch(path), 400, 'REQUEST_INVALID')
  })

  it.each(['/v1/sessions?after=nonsense', '/v1/turns?after=nonsense'])('refuses the page of %s', async (path) => {
    await expectRefusal(await gateway.fetch(path), 400, 'CURSOR_INVALID')
  })

  it.each(['a%00b', 'a%2Fb', 'a..b', 'x'.repeat(256), 'a%20b', '%ff'])('refuses the session key %s', async (key) => {
    await expectRefusal(await gateway.fetch(`/v1/sessions/${key}`), 400, 'SESSION_KEY_INVALID')
    await expectRefusal(await post(`/v1/sessions/${key}/turns`, { text }), 400, 'SESSION_KEY_INVALID')
  })

  it.each([
    ['/v1/sessions/nobody', 'SESSION_NOT_FOUND'],
    ['/v1/sessions/nobody/entries', 'SESSION_NOT_FOUND'],
    ['/v1/sessions/nobody/why', 'SESSION_NOT_FOUND'],
    ['/v1/sessions/nobody/summaries', 'SESSION_NOT_FOUND'],
    ['/v1/turns/nothing', 'TURN_NOT_FOUND'],
    ['/v1/turns/nothing/events', 'TURN_NOT_FOUND'],
    ['/v1/nowhere', 'NOT_FOUND'],
  ])('does not find %s', async (path, code) => {
    await expectRefusal(await gateway.fetch(path), 404, code)
  })
})

it('takes a wrong content type, and a request after all this is answered', async () => {
  const body = asking({ role: 'user', content: 'still there?' })
  const response = await chat(body, { 'x-session-key': 'good', 'content-type': 'text/plain' })
  expect(await answerIn(response)).toBe('You said: still there?')
})

it('replaces lone surrogates and counts them', async () => {
  const response = await chat('{"messages":[{"role":"user","content":"half \\ud83d a pair"}]}', {
    'x-session-key': 'sur',
  })
  expect(await answerIn(response)).toBe('You said: half \ufffd a pair')
  expect(await (await gateway.fetch('/metrics')).text()).toContain('holdfast_surrogates_replaced_total 1\n')
})

it('logs nothing above debug that people wrote', () => {
  const loud = gateway.logged.filter((line) => JSON.parse(line).level > 20)
  expect(loud.join('')).not.toMatch(/my words|still there/)
})
