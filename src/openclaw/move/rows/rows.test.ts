import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entryOfRow, type Fields } from './entry.ts'
import { type Given, rowOfEntry } from './row.ts'

const link = { id: '0a1b2c3d', parentId: null, atMs: 1_795_243_162_584 }
const named = (id: string) => `tool of ${id}`
const message = (fields: Fields) => entryOfRow({ type: 'message', id: 'a', parentId: null, message: fields })
const text = (words: string) => [{ type: 'text', text: words }]

describe('a row of a gateway', () => {
  it.each<[string, Fields, unknown]>([
    ['a user, in blocks', { role: 'user', content: text('hi') }, { role: 'user', content: 'hi' }],
    ['a user, as text', { role: 'user', content: 'hi', idempotencyKey: 'k' }, { role: 'user', content: 'hi' }],
    [
      'an image',
      { role: 'user', content: [...text('see'), { type: 'image', data: 'QUI=', mimeType: 'image/jpeg' }] },
      {
        role: 'user',
        content: [...text('see'), { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,QUI=' } }],
      },
    ],
    [
      'an answer with reasoning',
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm' }, ...text('yes')], usage: {} },
      { role: 'assistant', content: 'yes' },
    ],
    [
      'a call',
      { role: 'assistant', content: [{ type: 'toolCall', id: 'c1', name: 'read', arguments: { path: 'x' } }] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{"path":"x"}' } }],
      },
    ],
    [
      'a result',
      {
        role: 'toolResult',
        toolCallId: 'c1',
        toolName: 'read',
        content: [...text('a'), { type: 'image', data: 'QUI=' }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'a\n[image]' },
    ],
    ['half a character', { role: 'user', content: 'a\ud83d' }, { role: 'user', content: 'a\ufffd' }],
    [
      'a command of the user',
      { role: 'bashExecution', command: 'ls', output: 'a', exitCode: 1 },
      { role: 'user', content: 'Ran `ls`\n```\na\n```\nIt ended with code 1.' },
    ],
  ])('with %s is a message here', (_, fields, body) => {
    expect(message(fields)).toEqual({ kind: expect.anything(), body, shown: true })
  })

  it.each<[string, Fields, unknown]>([
    [
      'a failed answer',
      { role: 'assistant', content: [], stopReason: 'error', errorMessage: '500' },
      { code: 'OPENCLAW_FAILED', text: '500' },
    ],
    [
      'an answer that was cut off',
      { role: 'assistant', content: text('half of'), stopReason: 'aborted' },
      { code: 'OPENCLAW_FAILED', text: 'half of' },
    ],
    ['an empty answer', { role: 'assistant', content: [] }, { code: 'OPENCLAW_EMPTY', text: expect.anything() }],
  ])('with %s is an event, which models are not shown', (_, fields, body) => {
    expect(message(fields)).toEqual({ kind: 'event', body, shown: false })
  })

  it('that mirrors a delivery is there and not shown', () => {
    const fields = { role: 'assistant', content: text('hi'), provider: 'openclaw', model: 'delivery-mirror' }
    expect(message(fields)).toMatchObject({ kind: 'assistant', shown: false })
  })

  it('that is a reset says so', () => {
    expect(entryOfRow({ type: 'reset', id: 'a', parentId: 'b', reason: 'new' })).toEqual({
      kind: 'event',
      body: { code: 'SESSION_RESET', text: 'The conversation began anew (new).', reason: 'new' },
      shown: false,
    })
  })

  it.each([
    { type: 'model_change' },
    { type: 'leaf' },
    { type: 'message' },
    { type: 'message', message: { role: 'x' } },
    {},
  ])('without a counterpart is carried along: %j', (row) => expect(entryOfRow(row)).toBeNull())

  it('that nests too deep is carried along', () => {
    let nested: unknown = 1
    for (let depth = 0; depth < 300; depth += 1) nested = [nested]
    const fields = { role: 'user', content: [{ type: 'text', text: 'x' }], deep: nested }
    expect(message(fields)).not.toBeNull() // what is deep has no place here
    const row = {
      type: 'custom',
      customType: 'holdfast.entry',
      data: { kind: 'event', body: { code: 'X', text: '', nested } },
    }
    expect(entryOfRow(row)).toBeNull()
  })
})

describe('an entry of ours', () => {
  const part = fc.oneof(
    fc.record({ type: fc.constant('text'), text: fc.string({ unit: 'grapheme' }) }),
    fc.record({
      type: fc.constant('image_url'),
      image_url: fc.record({ url: fc.constantFrom('data:image/png;base64,QUI=', 'https://example.org/a.png') }),
    }),
    fc.record({ type: fc.constant('input_audio'), input_audio: fc.constant({ data: 'x' }) }),
  )
  const content = fc.oneof(fc.string({ unit: 'grapheme' }), fc.array(part, { maxLength: 3 }))
  const more = fc.option(fc.constantFrom({ name: 'zoe' }, { cache_control: { type: 'x' } }), { nil: {} })
  const call = fc.record({
    id: fc.string({ unit: 'grapheme', maxLength: 5 }),
    type: fc.constant('function' as const),
    function: fc.record({ name: fc.string(), arguments: fc.oneof(fc.json({ maxDepth: 2 }), fc.string()) }),
  })
  const bodies = {
    user: fc.tuple(content, more).map(([said, rest]) => ({ role: 'user', content: said, ...rest })),
    system: fc.tuple(content, more).map(([said, rest]) => ({ role: 'system', content: said, ...rest })),
    assistant: fc
      .tuple(fc.option(content), fc.option(fc.array(call, { maxLength: 2 }), { nil: undefined }), more)
      .map(([said, calls, rest]) => ({
        role: 'assistant',
        content: said,
        ...(calls ? { tool_calls: calls } : {}),
        ...rest,
      })),
    tool: fc.tuple(content, more).map(([said, rest]) => ({ role: 'tool', tool_call_id: 'c1', content: said, ...rest })),
    event: fc.record({
      code: fc.constantFrom('TURN_FAILED', 'SESSION_RESET'),
      text: fc.string(),
      facts: fc.dictionary(fc.string(), fc.integer()),
    }),
  }
  const given = fc.constantFrom(...(Object.keys(bodies) as (keyof typeof bodies)[])).chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      body: bodies[kind] as fc.Arbitrary<Given['body']>,
      shown: kind === 'event' ? fc.constant(false) : fc.boolean(),
    }),
  )

  it('is the same again after the way there and back', () => {
    fc.assert(
      fc.property(given, (entry) => {
        const row = JSON.parse(JSON.stringify(rowOfEntry(entry, link, named)))
        expect(entryOfRow(row)).toEqual(JSON.parse(JSON.stringify(entry)))
      }),
      { numRuns: 400 },
    )
  })

  it('counts no more once a gateway has changed what it said', () => {
    const body = { role: 'user' as const, content: 'long words', name: 'zoe' }
    const row = rowOfEntry({ kind: 'user', body, shown: true }, link, named)
    expect(entryOfRow(row)?.body).toEqual(body)
    const changed = { ...row, message: { ...(row.message as Fields), content: text('[cut]') } }
    expect(entryOfRow(changed)?.body).toEqual({ role: 'user', content: '[cut]' })
  })

  it('is a plain row of a gateway where that says everything', () => {
    expect(rowOfEntry({ kind: 'user', body: { role: 'user', content: 'hi' }, shown: true }, link, named)).toEqual({
      ...{ type: 'message', id: '0a1b2c3d', parentId: null, timestamp: '2026-11-21T06:39:22.584Z' },
      message: { role: 'user', content: text('hi'), timestamp: link.atMs },
    })
  })
})
