import { describe, expect, it } from 'vitest'
import { answer, call, faultsOf, result, sourceOf, summaryOf, user } from '../../test/compaction/conversations.ts'
import type { Message, SystemMessage } from '../model/messages.ts'
import type { ContextSource } from '../store/entries.ts'
import { buildContext, type Context } from './context.ts'
import { countMessages } from './meter.ts'
import { missingResult } from './pairing.ts'

interface Given {
  source: ContextSource
  messages?: Message[]
  instructions?: SystemMessage[]
  roomTokens?: number
  meterRatio?: number
}

function build(given: Given): Context {
  return buildContext({ instructions: [], messages: [user('and now?')], roomTokens: 10_000, meterRatio: 1, ...given })
}

const rounds = (count: number) =>
  Array.from({ length: count }, (_, index) => [
    user(`question ${index} ${'long '.repeat(50)}`),
    answer(`answer ${index}`),
  ]).flat()
describe('buildContext', () => {
  it('shows everything when there is room', () => {
    const history = [user('hello'), answer('hi'), 'event' as const, user('more'), answer('fine')]
    const context = build({ source: sourceOf(history), instructions: [{ role: 'system', content: 'Be brief.' }] })
    expect(context.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      user('hello'),
      answer('hi'),
      user('more'),
      answer('fine'),
      user('and now?'),
    ])
    expect(context.entriesLeftOut).toBe(0)
    expect(context.tokens).toBe(countMessages(context.messages))
  })

  it('says how many entries were left out, the ones that the store did not read included', () => {
    const context = build({ source: sourceOf(rounds(10), { olderCount: 7 }), roomTokens: 300 })
    const kept = context.messages.length - 2
    expect(context.entriesLeftOut).toBe(27 - kept)
    expect(kept).toBeGreaterThan(0)
    expect(context.messages[0]?.content).toContain(`${27 - kept} earlier messages of this conversation are left out`)
  })

  it('adds summary and marker to the last instruction, so that there is one system message', () => {
    const context = build({
      source: sourceOf(rounds(10), { summary: summaryOf('They planned a trip.') }),
      instructions: [{ role: 'system', content: 'Be brief.' }],
      roomTokens: 400,
    })
    expect(context.messages.filter((message) => message.role === 'system')).toHaveLength(1)
    expect(context.messages[0]?.content).toMatch(
      /^Be brief\.\n\n\[Summary of the earlier .*\]\nThey planned a trip\.\n\n\[\d+ messages after that/,
    )
  })

  it('adds the note as a part to an instruction made of parts', () => {
    const parts = [{ type: 'text', text: 'Be brief.' }]
    const context = build({
      source: sourceOf([], { summary: summaryOf('They planned a trip.') }),
      instructions: [{ role: 'system', content: parts }],
    })
    expect(context.messages[0]?.content).toHaveLength(2)
    expect(parts).toHaveLength(1)
  })

  it('cuts a summary that a smaller window cannot hold', () => {
    const context = build({
      source: sourceOf(rounds(2), { summary: summaryOf('plan '.repeat(5_000)) }),
      roomTokens: 1_000,
    })
    expect(context.tokens).toBeLessThanOrEqual(1_000)
    expect(context.messages).toHaveLength(6)
  })

  it('gives a call whose result was never recorded a stand-in', () => {
    const context = build({
      source: sourceOf([user('go'), call('a', 'b'), result('a'), user('hello?'), answer('yes')]),
    })
    expect(context.messages[3]).toEqual({ role: 'tool', tool_call_id: 'b', content: missingResult })
    expect(faultsOf(context.messages)).toEqual([])
  })

  it('drops a result that no call asked for', () => {
    const context = build({ source: sourceOf([user('go'), result('x'), answer('done')]) })
    expect(context.messages).toEqual([user('go'), answer('done'), user('and now?')])
  })

  it('lets the client answer the calls of the last answer', () => {
    const context = build({ source: sourceOf([user('go'), call('a', 'b')]), messages: [result('a'), result('b')] })
    expect(context.messages).toEqual([user('go'), call('a', 'b'), result('a'), result('b')])
  })

  it('puts a stand-in call before own results when their call has no room', () => {
    const history = [user('long '.repeat(500)), call('a', 'b')]
    const context = build({ source: sourceOf(history), messages: [result('a'), result('b')], roomTokens: 300 })
    expect(context.messages.slice(-2)).toEqual([result('a'), result('b')])
    expect(faultsOf(context.messages)).toEqual([])
    expect(context.entriesLeftOut).toBe(2)
  })

  it('leaves out the rest of a round whose beginning the store did not read', () => {
    const history = [result('x'), answer('half'), user('next'), answer('whole')]
    const context = build({ source: sourceOf(history, { olderCount: 3 }) })
    expect(context.messages.slice(1)).toEqual([user('next'), answer('whole'), user('and now?')])
    expect(context.entriesLeftOut).toBe(5)
  })

  it('keeps question and answer of a last round whose tool results are too large', () => {
    const large: Message = { role: 'tool', tool_call_id: 'a', content: 'row '.repeat(5_000) }
    const context = build({
      source: sourceOf([user('count'), call('a'), large, answer('5,000 rows')]),
      roomTokens: 500,
    })
    expect(context.messages.slice(1)).toEqual([user('count'), answer('5,000 rows'), user('and now?')])
    expect(context.entriesLeftOut).toBe(2)
  })

  it('keeps instructions and own messages whole even when they alone are over the room', () => {
    const messages = [user('big '.repeat(500))]
    const context = build({ source: sourceOf(rounds(2)), messages, roomTokens: 100 })
    expect(context.messages).toEqual(messages)
  })
})
it('fits rooms of every size, to the token', () => {
  const source = sourceOf(rounds(12), { olderCount: 2, summary: summaryOf('They planned a trip. '.repeat(4)) })
  for (let roomTokens = 60; roomTokens < 900; roomTokens += 1) {
    const context = build({ source, roomTokens })
    expect(context.tokens).toBeLessThanOrEqual(roomTokens)
    expect(countMessages(context.messages)).toBeLessThanOrEqual(roomTokens)
  }
})
