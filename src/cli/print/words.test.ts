import { describe, expect, it } from 'vitest'
import type { Entry } from '../../model/entries.ts'
import { entryText } from './entry.ts'
import { excerptAround } from './excerpt.ts'
import { ago, count, moment } from './words.ts'

describe('words', () => {
  it('counts', () => {
    expect([count(1, 'turn'), count(0, 'turn'), count(12_000, 'entry', 'entries')]).toEqual([
      '1 turn',
      '0 turns',
      '12,000 entries',
    ])
  })
  it('tells ages, also when the clock went back', () => {
    expect([ago(0, 754_000), ago(0, 999), ago(5_000, 0)]).toEqual(['12m 34s ago', 'just now', 'just now'])
  })
  it('tells moments in UTC to the second', () => expect(moment(1_795_249_642_123)).toBe('2026-11-21 08:27:22Z'))
})

describe('an excerpt', () => {
  it('begins shortly before the word that was looked for', () => {
    const text = `${'x '.repeat(100)}the blue bicycle${' y'.repeat(100)}`
    expect(excerptAround(text, ['bicycle'], 50)).toMatch(/^…[x ]+the blue bicycle[ y]+…$/)
  })
  it('is the beginning when the word is elsewhere, for example in a tool call', () => {
    expect(excerptAround('short', ['other'], 50)).toBe('short')
  })
  it('never cuts inside a character', () => expect(excerptAround('🙂'.repeat(40), ['x'], 7)).toBe('🙂🙂🙂…'))
})

describe('an entry as text', () => {
  const entry = (body: Entry['body'], kind: Entry['kind'] = 'assistant'): Entry => ({
    seq: 1,
    id: 'e1',
    parentId: null,
    turnId: null,
    attempt: 1,
    kind,
    body,
    tokens: 1,
    atMs: 0,
  })
  it('names tools, images and events', () => {
    const call = { id: 'c', type: 'function' as const, function: { name: 'look', arguments: '{"at":1}' } }
    expect(entryText(entry({ role: 'assistant', content: null, tool_calls: [call] }))).toBe('→ look({"at":1})')
    const image = { type: 'image_url', image_url: { url: 'data:…' } }
    expect(entryText(entry({ role: 'user', content: [{ type: 'text', text: 'see' }, image] }))).toBe('see\n[image_url]')
    expect(entryText(entry({ code: 'RESET', text: 'The session was reset' }, 'event'))).toBe('The session was reset')
  })
})
