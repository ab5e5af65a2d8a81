import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type EntryRecord, linesOf, parseRecord, recordLine } from './records.ts'

const entry: EntryRecord = {
  ...{ type: 'entry', n: 9, seq: 1, id: 'e1', turn: null, attempt: 1, kind: 'user', tokens: 3, atMs: 5 },
  body: '{"role":"user","content":"hi"}',
}
const there = (record: EntryRecord) => parseRecord(recordLine(record).slice(0, -1))

it('embeds a body so that people can read it, and gives back the same bytes', () => {
  expect(recordLine(entry)).toContain('"body":{"role":"user","content":"hi"}}\n')
  expect(there(entry)).toEqual(entry)
})

it('gives back any JSON to the byte, and any text that is none', () => {
  const same = (body: string) => expect(there({ ...entry, body })).toEqual({ ...entry, body })
  fc.assert(fc.property(fc.json(), (body) => void same(body)))
  for (const body of [
    '{"b": 1,  "a":1.0}',
    '[1e2]',
    'not JSON',
    '{"a":1,"a":2}',
    '"\u2028"',
    '{"2":0,"1":0}',
    'null',
  ]) {
    same(body)
    expect(recordLine({ ...entry, body }).split('\n')).toHaveLength(2)
  }
})

it('keeps what an adapter stores beside', () => {
  const record = { ...entry, more: { handed_over: 2, word: 'x' } }
  expect(there(record)).toEqual(record)
})

it.each([
  ['no JSON', '{"type":'],
  ['no record', '{"type":"toString"}'],
  ['no object', '7'],
  ['a field that is missing', recordLine(entry).replace('"seq":1,', '')],
  ['a number that is a word', recordLine(entry).replace('"seq":1,', '"seq":"1",')],
  ['a number that is no whole one', recordLine(entry).replace('"seq":1,', '"seq":1.5,')],
  ['no body', recordLine(entry).replace(/"body":.*\}\}/, '"body":null}')],
])('refuses a line that has %s', (_, line) => {
  expect(() => parseRecord(line)).toThrow('The archive is not what its manifest says')
})

it('refuses a text whose last line is cut off', () => {
  expect(linesOf('a\nb\n')).toEqual(['a', 'b'])
  expect(() => linesOf('a\nb')).toThrow('The archive is not what its manifest says')
})
