import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEntryChanges, conflictsIn, type EntryChange, inverseOf, type Json, patchEntry, rawEntry } from './edit.ts'
import { parseIndex } from './parse.ts'

const apply = (text: string, ...changes: EntryChange[]) => applyEntryChanges(Buffer.from(text), changes).toString()
const remove = (key: string, before: string): EntryChange => ({ key, before, after: null })
const insert = (key: string, after: string): EntryChange => ({ key, before: null, after })
const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return (error as { code: string }).code
  }
  return null
}

describe('an index with changed entries', () => {
  const text = '{\n  "a": {"x": 1},\n  "b" : 2,\n\n  "c": 3\n}\n'

  it('is the same without changes', () => {
    for (const same of [text, '{ }', '{\n}', '{"a":1}']) expect(apply(same)).toBe(same)
  })
  it.each([
    ['the first', 'a', '{"x": 1}', '{\n  "b" : 2,\n\n  "c": 3\n}\n'],
    ['one in the middle', 'b', '2', '{\n  "a": {"x": 1},\n\n  "c": 3\n}\n'],
    ['the last', 'c', '3', '{\n  "a": {"x": 1},\n  "b" : 2\n}\n'],
  ])('loses %s and no other byte', (_, key, before, expected) =>
    expect(apply(text, remove(key, before))).toBe(expected),
  )
  it('is an empty object when it has lost all', () => {
    expect(apply('{\n  "a": 1\n}', remove('a', '1'))).toBe('{}')
  })
  it('gets a new entry at its end, laid out like its neighbours', () => {
    const entry = '{"id":"é","n":[1,{"m":[]}],"o":{},"t":1e400}'
    expect(apply('{\n  "a": {}\n}', insert('b', entry))).toBe(
      '{\n  "a": {},\n  "b": {\n    "id": "é",\n    "n": [\n      1,\n      {\n        "m": []\n      }\n    ],\n    "o": {},\n    "t": 1e400\n  }\n}',
    )
    expect(apply('{"a":{}}', insert('b', '{\n  "id": "x, y: {"\n}'))).toBe('{"a":{},"b":{"id":"x, y: {"}}')
    expect(apply('{}', insert('b', '[1]'), insert('c', '2'))).toBe('{\n  "b": [1],\n  "c": 2\n}')
    expect(apply('{"a":1}', remove('a', '1'), insert('b', '2'))).toBe('{"b":2}')
    expect(apply('{\r\n\t"a":1\r\n}', insert('b', '[1]'))).toBe('{\r\n\t"a":1,\r\n\t"b":[\r\n\t\t1\r\n\t]\r\n}')
  })
  it('keeps what stands around a replaced value', () => {
    expect(apply(text, { key: 'b', before: '2', after: '"two"' })).toBe(text.replace('2', '"two"'))
  })
  it('loses a key that stands twice altogether, and shows the last of it', () => {
    const twice = '{"a":1,"b":2,"a":3}'
    expect(rawEntry(Buffer.from(twice), parseIndex(Buffer.from(twice)), 'a')).toBe('3')
    expect(apply(twice, remove('a', '3'))).toBe('{"b":2}')
    expect(apply(twice, { key: 'a', before: '3', after: '4' })).toBe('{"a":1,"b":2,"a":4}')
  })
  it('takes __proto__ for a key like any other', () => {
    expect(apply('{"__proto__":{"a":1}}', insert('constructor', '{}'), remove('__proto__', '{"a":1}'))).toBe(
      '{"constructor":{}}',
    )
  })
  it('is refused when an entry is not what it was before', () => {
    expect(codeOf(() => apply(text, remove('a', '{"x": 2}')))).toBe('HOME_CHANGED')
    expect(codeOf(() => apply(text, insert('a', '{}')))).toBe('HOME_CHANGED')
    expect(codeOf(() => apply(text, { key: 'd', before: '1', after: '2' }))).toBe('HOME_CHANGED')
  })
  it('names what others have changed, and takes another layout for the same entry', () => {
    const changes = [remove('a', '{\n"x":\t1}'), remove('b', '7'), insert('d', '{}')]
    expect(conflictsIn(Buffer.from(text), changes)).toEqual([changes[1]])
  })
  it('does not make a change again that has been made', () => {
    const changes = [remove('a', '{"x": 1}'), insert('d', '{}'), { key: 'b', before: '2', after: '3' }]
    const once = apply(text, ...changes)
    expect(apply(once, ...changes)).toBe(once)
  })
  it.each(['', '1,2', '1,"b":2', '1}', '{', 'undefined', '1}{', '"\ud800"'])('is not given %j for a value', (value) => {
    expect(codeOf(() => apply('{}', insert('a', value)))).toBe('REQUEST_INVALID')
  })
})

describe('a patched entry', () => {
  const raw = '{\n    "id": "x",\n    "big": 12345678901234567890,\n    "status": "running"\n  }'

  it('has its other fields to the byte', () => {
    expect(patchEntry(raw, { status: 'failed', big: undefined, endedAt: 5, list: [1] })).toBe(
      '{\n    "id": "x",\n    "status": "failed",\n    "endedAt": 5,\n    "list": [\n      1\n    ]\n  }',
    )
    expect(patchEntry('{}', { a: 1 })).toBe('{\n    "a": 1\n  }')
    expect(patchEntry(raw, {})).toBe(raw)
  })
})

describe('any index and any changes', () => {
  const key = fc.oneof(
    fc.constantFrom('agent:main:main', 'agent:main:telegram:direct:1', '__proto__', 'toString', '', '"', 'é😀\\'),
    fc.string(),
  )
  const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>
  const index = fc.array(fc.tuple(key, value), { maxLength: 8 }).map((pairs) => new Map(pairs))
  const space = fc.constantFrom(undefined, 1, 2, '\t')
  const textOf = (entries: Map<string, Json>, indent: string | number | undefined) =>
    JSON.stringify(Object.fromEntries(entries), null, indent)
  const rawOf = (text: string, of: string) => {
    const bytes = Buffer.from(text)
    return rawEntry(bytes, parseIndex(bytes), of)
  }
  const asMap = (text: string) => new Map(Object.entries(JSON.parse(text)))
  /** Half of the keys are taken out, replaced or left; and some new ones come. */
  const edits = fc.array(
    fc.record({ pick: fc.nat(7), fresh: key, what: fc.constantFrom('remove', 'replace', 'insert'), value, space }),
    { maxLength: 5 },
  )

  it('give the object edited, with every other value to the byte', () => {
    fc.assert(
      fc.property(index, space, edits, (entries, indent, moves) => {
        const text = textOf(entries, indent)
        const expected = asMap(text)
        const touched = new Set<string>()
        const changes: EntryChange[] = []
        for (const move of moves) {
          const name = move.what === 'insert' ? move.fresh : [...expected.keys()][move.pick]
          if (name === undefined || touched.has(name)) continue
          touched.add(name)
          const after = move.what === 'remove' ? null : JSON.stringify(move.value, null, move.space)
          changes.push({ key: name, before: rawOf(text, name), after })
          if (after === null) expected.delete(name)
          else expected.set(name, JSON.parse(after))
        }
        const result = apply(text, ...changes)
        expect(asMap(result)).toEqual(expected)
        for (const name of expected.keys()) if (!touched.has(name)) expect(rawOf(result, name)).toBe(rawOf(text, name))

        const back = apply(result, ...inverseOf(changes))
        expect(asMap(back)).toEqual(asMap(text))
        for (const name of entries.keys()) expect(rawOf(back, name)).toBe(rawOf(text, name))
      }),
      { numRuns: 300 },
    )
  })
  it('give the same bytes back when what was last is taken out and put back', () => {
    fc.assert(
      fc.property(index, space, (entries, indent) => {
        const text = textOf(entries, indent)
        const last = parseIndex(Buffer.from(text)).members.at(-1)
        if (last === undefined || parseIndex(Buffer.from(text)).members.length < 2) return
        const change = remove(last.key, rawOf(text, last.key) as string)
        expect(apply(apply(text, change), ...inverseOf([change]))).toBe(text)
      }),
    )
  })
  it('give the entry patched, with every other field to the byte', () => {
    fc.assert(
      fc.property(
        index,
        space,
        fc.array(fc.tuple(key, fc.option(value, { nil: undefined }))),
        (entry, indent, patch) => {
          const raw = textOf(entry, indent)
          const fields = Object.fromEntries(patch)
          const patched = patchEntry(raw, fields)
          const expected = asMap(raw)
          for (const [field, next] of Object.entries(fields)) {
            if (next === undefined) expected.delete(field)
            else expected.set(field, JSON.parse(JSON.stringify(next)))
          }
          expect(asMap(patched)).toEqual(expected)
          for (const field of expected.keys())
            if (!Object.hasOwn(fields, field)) expect(rawOf(patched, field)).toBe(rawOf(raw, field))
        },
      ),
      { numRuns: 300 },
    )
  })
})
