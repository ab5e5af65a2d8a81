import { describe, expect, it } from 'vitest'
import type { Message } from '../../model/messages.ts'
import { checked } from '../route.ts'
import { completionRequestSchema, parseCompletionRequest } from './request.ts'

const models = { name: 'm', aliases: ['holdfast'] }
const parse = (body: object, headers: Record<string, string> = {}) =>
  parseCompletionRequest(
    checked(completionRequestSchema, body, 'the body'),
    new Headers(headers),
    models,
    () => 'new-id',
  )

const system = (content: string): Message => ({ role: 'system', content })
const developer = (content: string): Message => ({ role: 'developer', content })
const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })
const tool = (content: string): Message => ({ role: 'tool', tool_call_id: 'c', content })

describe('what is new in a request', () => {
  it.each<[string, Message[], Message[], Message[]]>([
    ['one message', [user('a')], [], [user('a')]],
    ['instructions first', [system('s'), developer('d'), user('a')], [system('s'), developer('d')], [user('a')]],
    [
      'what follows the last assistant message',
      [system('s'), user('a'), assistant('b'), user('c'), user('d')],
      [system('s')],
      [user('c'), user('d')],
    ],
    ['tool results', [user('a'), assistant('call'), tool('r1'), tool('r2')], [], [tool('r1'), tool('r2')]],
    [
      'a system message in the middle, as a message',
      [user('a'), assistant('b'), system('now in French'), user('c')],
      [],
      [system('now in French'), user('c')],
    ],
    ['a system message after the first user message', [user('a'), system('s')], [], [user('a'), system('s')]],
    ['nothing of what the assistant began with', [assistant('hi'), user('a')], [], [user('a')]],
  ])('is %s', (_, messages, instructions, input) => {
    expect(parse({ messages })).toMatchObject({ instructions, messages: input })
  })

  it.each<[string, Message[]]>([
    ['ends with the assistant', [user('a'), assistant('b')]],
    ['holds instructions only', [system('s')]],
    ['has only a system message after the assistant', [user('a'), assistant('b'), system('s')]],
  ])('must not be empty: a request that %s is refused', (_, messages) => {
    expect(() => parse({ messages })).toThrow('there must be a user or tool message')
  })
})

describe('fields', () => {
  const messages = [user('a')]

  it('pass through, all but those that Holdfast means', () => {
    const body = {
      model: 'm',
      messages,
      stream: true,
      stream_options: { include_usage: true },
      user: 'u',
      seed: 1,
      n: 1,
      x: null,
    }
    expect(parse(body)).toMatchObject({ params: { seed: 1, n: 1, x: null }, streaming: true, includeUsage: true })
    expect(Object.keys(parse(body).params)).toEqual(['n', 'seed', 'x'])
  })

  it.each(['m', 'holdfast', undefined])('take %s for the model', (model) => {
    expect(() => parse({ messages, ...(model === undefined ? {} : { model }) })).not.toThrow()
  })

  it('refuse another model, and say which there are', () => {
    expect(() => parse({ messages, model: 'gpt-x' })).toThrow('it serves m, holdfast')
  })
})

describe('the session key', () => {
  const messages = [user('a')]
  const keyOf = (body: object, headers: Record<string, string> = {}) => parse({ messages, ...body }, headers).key

  it('is that of the header before that of the user', () => {
    expect(keyOf({ user: 'u' }, { 'x-session-key': 'k' })).toBe('agent:main:k')
    expect(keyOf({ user: 'u' })).toBe('agent:main:user:u')
    expect(keyOf({ user: '' })).toBe('agent:main:chat:new-id')
    expect(keyOf({ user: null })).toBe('agent:main:chat:new-id')
  })

  it('is the same for a repeat that names no session', () => {
    const repeat = { 'idempotency-key': 'once' }
    expect(keyOf({}, repeat)).toBe(keyOf({}, repeat))
    expect(keyOf({}, repeat)).not.toBe(keyOf({}, { 'idempotency-key': 'twice' }))
    expect(keyOf({}, repeat)).toMatch(/^agent:main:chat:[0-9a-f]{32}$/)
  })

  it.each(['a user with spaces', 'a/b', '..', '\0'])('is refused when `user` is %j', (name) => {
    expect(() => keyOf({ user: name })).toThrow('The session key is not valid')
  })
})

describe('headers', () => {
  const messages = [user('a')]
  it('name the busy policy, the idempotency key and the source', () => {
    const named = { 'x-on-busy': 'interrupt', 'idempotency-key': 'k', 'x-source': 'shop' }
    expect(parse({ messages }, named)).toMatchObject({ onBusy: 'interrupt', dedupeKey: 'k', source: 'shop' })
    expect(parse({ messages })).toMatchObject({ onBusy: null, dedupeKey: null, source: 'chat-completions' })
  })

  it.each([
    [{ 'x-on-busy': 'shout' }, 'x-on-busy: must be one of queue, coalesce, interrupt, reject'],
    [{ 'idempotency-key': 'x'.repeat(256) }, 'idempotency-key: must be 1 to 255'],
    [{ 'idempotency-key': 'with space' }, 'idempotency-key: must be 1 to 255'],
    [{ 'x-source': '' }, 'x-source: must be 1 to 64'],
    [{ 'x-source': 'x'.repeat(65) }, 'x-source: must be 1 to 64'],
  ])('are refused as %j', (headers, because) => expect(() => parse({ messages }, headers)).toThrow(because))
})
