import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EntryKind } from '../model/entries.ts'
import type { Message } from '../model/messages.ts'
import { mechanicalSummary } from './mechanical.ts'
import { countMessage, countText } from './meter.ts'

const said = (kind: 'user' | 'assistant', content: string): { kind: EntryKind; message: Message } => ({
  kind,
  message: { role: kind, content },
})

it('quotes what the user asked and counts the rest', () => {
  const entries = [said('user', 'Book a table\nfor two'), said('assistant', 'Where?'), said('user', 'At the harbour')]
  expect(mechanicalSummary(null, entries, 500)).toBe(
    [
      "3 messages (2 from the user, 1 from the assistant). No model was asked for this note; it quotes the beginnings of the user's messages:",
      '- Book a table for two',
      '- At the harbour',
    ].join('\n'),
  )
})

it('keeps the first and the newest messages when there is no room for all', () => {
  const entries = Array.from({ length: 200 }, (_, index) => said('user', `request number ${index}`))
  const text = mechanicalSummary(null, entries, 200)
  expect(text).toContain('- request number 0\n- (')
  expect(text).toMatch(/ more\)\n(- request number \d+\n)+- request number 199$/)
})

it('goes on from the summary before it', () => {
  const text = mechanicalSummary('They chose the harbour.', [said('user', 'And wine?')], 300)
  expect(text).toMatch(/^They chose the harbour\.\n\nThen: 1 messages/)
})

it('has at most the tokens asked for, so that it is shorter than what it replaces', () => {
  const entry = fc.tuple(
    fc.constantFrom('user' as const, 'assistant' as const),
    fc.string({ unit: 'grapheme', maxLength: 400 }),
  )
  fc.assert(
    fc.property(
      fc.option(fc.string({ maxLength: 500 })),
      fc.array(entry, { minLength: 4, maxLength: 40 }),
      (previous, given) => {
        const entries = given.map(([kind, content]) => said(kind, content))
        const replaced = entries.reduce((total, one) => total + countMessage(one.message), 0)
        const tokensMax = Math.floor(replaced * 0.8)
        const text = mechanicalSummary(previous, entries, tokensMax)
        expect(countText(text)).toBeLessThanOrEqual(tokensMax)
        expect(text.trim()).not.toBe('')
        expect(mechanicalSummary(previous, entries, tokensMax)).toBe(text)
      },
    ),
    { numRuns: 60 },
  )
})
