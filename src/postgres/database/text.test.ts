import fc from 'fast-check'
import { expect, it } from 'vitest'
import { textKept, textToKeep } from './text.ts'

it('gives every text back, whatever units it has', () => {
  const unit = fc.oneof(
    fc.constantFrom('\0', '\u001a', '0', 's', 'd', '\ud83d', '\ude00', 'é'),
    fc.string({ unit: 'binary' }),
  )
  const texts = fc.array(unit).map((units) => units.join(''))
  fc.assert(
    fc.property(texts, (text) => {
      const kept = textToKeep(text)
      expect(kept.includes('\0')).toBe(false)
      expect(kept.isWellFormed()).toBe(true)
      expect(textKept(kept)).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

it('leaves ordinary texts as they are', () => {
  for (const text of ['', 'hello', '{"a":"\\u0000"}', 'née 😀']) expect(textToKeep(text)).toBe(text)
})
