import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnswerDelta } from '../engine/runner.ts'
import { AnswerBuilder, showsSomething } from './answer.ts'

function built(...deltas: AnswerDelta[]): AnswerBuilder {
  const answer = new AnswerBuilder()
  for (const delta of deltas) answer.add({ choices: [{ index: 0, delta }] })
  return answer
}
const callDelta = (call: Record<string, unknown>): AnswerDelta => ({ tool_calls: [call] })

describe('AnswerBuilder', () => {
  it('joins the pieces of a text', () => {
    expect(built({ role: 'assistant', content: '' }, { content: 'Hel' }, { content: 'lo' }).message).toEqual({
      role: 'assistant',
      content: 'Hello',
    })
  })

  it('gives back any text in whatever pieces it came', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 9 }), (pieces) => {
        expect(built(...pieces.map((content) => ({ content }))).message.content).toBe(pieces.join(''))
      }),
    )
  })

  it('joins fields that it does not know: texts and lists grow, objects field by field', () => {
    const { message } = built(
      { reasoning_content: 'First ', reasoning_details: [{ text: 'a' }], audio: { id: 'x', transcript: 'one ' } },
      { reasoning_content: 'then', reasoning_details: [{ text: 'b' }], audio: { id: 'x', transcript: 'two' } },
      { refusal: 'No', annotations: null },
    )
    expect(message).toEqual({
      role: 'assistant',
      content: null,
      reasoning_content: 'First then',
      reasoning_details: [{ text: 'a' }, { text: 'b' }],
      audio: { id: 'x', transcript: 'one two' },
      refusal: 'No',
    })
  })

  it('puts tool calls together by their index', () => {
    const { message } = built(
      callDelta({ index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '' } }),
      callDelta({ index: 0, function: { arguments: '{"at":' } }),
      callDelta({ index: 1, id: 'b', type: 'function', function: { name: 'now', arguments: '{}' } }),
      callDelta({ index: 0, function: { arguments: '1}' } }),
    )
    expect(message.tool_calls).toEqual([
      { id: 'a', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
      { id: 'b', type: 'function', function: { name: 'now', arguments: '{}' } },
    ])
  })

  it('keeps calls apart of a server that gives all of them the same index, or none', () => {
    for (const index of [{ index: 0 }, {}]) {
      const { message } = built(
        callDelta({
          ...index,
          id: 'a',
          function: { name: 'look', arguments: '{}' },
          extra_content: { signature: 's' },
        }),
        callDelta({ ...index, id: 'b', function: { name: 'look', arguments: '{}' } }),
      )
      expect(message.tool_calls?.map((call) => call.id)).toEqual(['a', 'b'])
      expect(message.tool_calls?.[0]?.extra_content).toEqual({ signature: 's' })
    }
  })

  it('does not double what a server repeats in every piece', () => {
    const { message } = built(
      callDelta({ index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '{' } }),
      callDelta({ index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '}' } }),
    )
    expect(message.tool_calls).toEqual([{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }])
  })

  it('goes on in parts when content that began as text does', () => {
    expect(
      built({ content: 'a' }, { content: [{ type: 'text', text: 'b' }] as never }, { content: 'c' }).message.content,
    ).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      { type: 'text', text: 'c' },
    ])
  })

  it('takes the first choice, the finish reason and the usage, wherever they stand', () => {
    const answer = new AnswerBuilder()
    answer.add({ choices: [{ index: 1, delta: { content: 'other' } }] })
    answer.add({ choices: [{ index: 0, delta: { content: 'yes' }, finish_reason: 'stop' }] })
    answer.add({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } })
    expect(answer.message.content).toBe('yes')
    expect(answer.finishReason).toBe('stop')
    expect(answer.usage).toEqual({ promptTokens: 5, completionTokens: 2, totalTokens: 7 })
  })

  it('is empty without text, calls or refusal', () => {
    expect(built({ role: 'assistant', content: '' }, { reasoning_content: 'hm' }).empty).toBe(true)
    expect(built({ refusal: 'No' }).empty).toBe(false)
    expect(built(callDelta({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } })).empty).toBe(false)
  })
})

it('knows a delta in which a reader sees nothing', () => {
  expect(showsSomething({ role: 'assistant', content: '', refusal: null })).toBe(false)
  expect(showsSomething({ content: ' ' })).toBe(true)
})
