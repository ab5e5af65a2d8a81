import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Message } from '../model/messages.ts'
import { countMessage } from './meter.ts'
import { fitForSummary, type SummaryEntry, withoutData } from './shorten.ts'

const user = (content: string): SummaryEntry => ({ kind: 'user', message: { role: 'user', content } })

it('cuts the longest texts only', () => {
  const entries = [user('short'), user('long '.repeat(2_000)), user('also short')]
  const fitted = fitForSummary(entries, 500)
  expect(fitted[0]).toBe(entries[0])
  expect(fitted[2]).toBe(entries[2])
  expect(countMessage(fitted[1]?.message as Message)).toBeGreaterThan(400)
})

it('gives back the same entries when they fit', () => {
  const entries = [user('a'), user('b')]
  expect(fitForSummary(entries, 100)).toBe(entries)
})

it('names an image instead of carrying its bytes', () => {
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100)}` } }
  const message = withoutData({ role: 'user', content: [{ type: 'text', text: 'what is this?' }, image] })
  expect(message.content).toEqual([
    { type: 'text', text: 'what is this?' },
    { type: 'text', text: '[image]' },
  ])
})

it('fits any entries into what the summariser can read', () => {
  const call = (given: string): SummaryEntry => ({
    kind: 'assistant',
    message: {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: given } }],
    },
  })
  const text = fc
    .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.nat(200))
    .map(([unit, count]) => unit.repeat(count))
  const entry = fc.oneof(text.map(user), text.map(call))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), fc.integer({ min: 200, max: 3_000 }), (entries, tokensMax) => {
      const fitted = fitForSummary(entries, tokensMax)
      const total = fitted.reduce((sum, one) => sum + countMessage(one.message), 0)
      expect(total).toBeLessThanOrEqual(tokensMax)
    }),
    { numRuns: 60 },
  )
})
