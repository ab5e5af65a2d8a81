import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answer, call, faultsOf, result, sourceOf, summaryOf, user } from '../../test/compaction/conversations.ts'
import type { Message, SystemMessage } from '../model/messages.ts'
import { buildContext } from './context.ts'
import { countMessages } from './meter.ts'

const message = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 300 }).map(user) },
  { weight: 3, arbitrary: fc.string({ maxLength: 300 }).map(answer) },
  { weight: 2, arbitrary: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }).map((ids) => call(...ids)) },
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'd').map(result) },
)
const given = fc.record({
  history: fc.array(
    fc.oneof({ weight: 9, arbitrary: message }, { weight: 1, arbitrary: fc.constant('event' as const) }),
    { maxLength: 30 },
  ),
  own: fc.oneof(
    fc.array(fc.string({ minLength: 1, maxLength: 100 }).map(user), { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(fc.constantFrom('a', 'b', 'z'), { minLength: 1 }).map((ids) => ids.map(result)),
    fc
      .tuple(fc.constantFrom('a', 'z').map(result), fc.string({ maxLength: 40 }).map(user))
      .map((pair): Message[] => pair),
  ),
  instructions: fc.array(
    fc.string({ maxLength: 100 }).map((content): SystemMessage => ({ role: 'system', content })),
    { maxLength: 2 },
  ),
  summary: fc.option(fc.string({ maxLength: 800 })),
  olderCount: fc.nat(3),
  roomTokens: fc.integer({ min: 1, max: 2_000 }),
  meterRatio: fc.constantFrom(0.5, 1, 1.7),
})
const contextOf = (one: typeof given extends fc.Arbitrary<infer T> ? T : never, roomTokens = one.roomTokens) =>
  buildContext({
    source: sourceOf(one.history, {
      olderCount: one.olderCount,
      summary: one.summary === null ? null : summaryOf(one.summary),
    }),
    instructions: one.instructions,
    messages: one.own,
    roomTokens,
    meterRatio: one.meterRatio,
  })

describe('buildContext, for any history', () => {
  it('is never over the room, unless instructions and own messages alone are', () => {
    fc.assert(
      fc.property(given, (one) => {
        const context = contextOf(one)
        const room = Math.floor(one.roomTokens / one.meterRatio)
        if (context.tokens > room) {
          const bare = contextOf({ ...one, history: [], summary: null, olderCount: 0 })
          expect(context.tokens).toBe(bare.tokens)
        }
        expect(countMessages(context.messages)).toBeLessThanOrEqual(context.tokens)
      }),
    )
  })

  it('is accepted by a strict provider', () => {
    fc.assert(
      fc.property(given, (one) => {
        expect(faultsOf(contextOf(one).messages)).toEqual([])
      }),
    )
  })

  it('has the own messages last, whole and in order', () => {
    fc.assert(
      fc.property(given, (one) => {
        const { messages } = contextOf(one)
        const tail = messages.filter((found) => one.own.includes(found))
        expect(tail).toEqual(one.own)
        expect(messages.at(-1)).toBe(one.own.at(-1))
      }),
    )
  })

  it('has the instructions first', () => {
    fc.assert(
      fc.property(given, (one) => {
        const { messages } = contextOf(one)
        for (const [index, instruction] of one.instructions.entries()) {
          const shown = String(messages[index]?.content)
          expect(shown.startsWith(String(instruction.content))).toBe(true)
        }
      }),
    )
  })

  it('begins its history with a user entry when something before was left out', () => {
    fc.assert(
      fc.property(given, (one) => {
        const context = contextOf(one)
        const bodies = new Set<unknown>(one.history)
        const first = context.messages.find((found) => bodies.has(found))
        if (context.entriesLeftOut > 0 && first !== undefined) expect(first.role).toBe('user')
      }),
    )
  })

  it('leaves out no more when there is more room', () => {
    fc.assert(
      fc.property(given, fc.nat(500), (one, more) => {
        const small = contextOf(one)
        expect(contextOf(one, one.roomTokens + more).entriesLeftOut).toBeLessThanOrEqual(small.entriesLeftOut)
      }),
    )
  })
})
