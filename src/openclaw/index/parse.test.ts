import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '../../model/errors.ts'
import { indexBytesMax, parseIndex, parseObject, scanIndex } from './parse.ts'
import { depthMax } from './text/scan.ts'

const entriesOf = (text: string) => {
  const bytes = Buffer.from(text)
  return parseIndex(bytes).members.map(({ key, keyStart, keyEnd, valueStart, valueEnd }) => ({
    key,
    rawKey: bytes.toString('utf8', keyStart, keyEnd),
    value: bytes.toString('utf8', valueStart, valueEnd),
  }))
}

function because(bytes: Buffer | string): string {
  try {
    parseIndex(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  } catch (error) {
    if (isHoldfastError(error, 'INDEX_UNREADABLE')) return String(error.facts.because)
    throw error
  }
  return 'readable'
}

/** What `JSON.parse` makes of it, when it is an object; a gateway takes nothing else for an index. */
function asGatewayReads(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

describe('an index taken apart', () => {
  it('gives each key and the bytes of its value', () => {
    expect(entriesOf('{\n  "a": {"x": [1, {"y": 2}]},\n  "é": -1.5e+3 , "c":null}\n')).toEqual([
      { key: 'a', rawKey: '"a"', value: '{"x": [1, {"y": 2}]}' },
      { key: 'é', rawKey: '"é"', value: '-1.5e+3' },
      { key: 'c', rawKey: '"c"', value: 'null' },
    ])
  })
  it('decodes keys, and gives one that stands twice twice', () => {
    expect(entriesOf('{"\\u0061":1,"a":2}').map(({ key }) => key)).toEqual(['a', 'a'])
  })
  it('takes __proto__ for a key like any other', () => {
    const parsed = parseIndex(Buffer.from('{"__proto__":{"polluted":true},"constructor":{}}'))
    expect(parsed.members.map(({ key }) => key)).toEqual(['__proto__', 'constructor'])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
  it('passes half a surrogate pair that is escaped, as gateways do', () => {
    expect(entriesOf('{"a":"\\ud83d"}')).toHaveLength(1)
  })
  it('takes a part of a text apart, without looking beside it', () => {
    const bytes = Buffer.from('garbage {"a":1} garbage')
    expect(parseObject(bytes, 8, 15).members).toEqual([
      { key: 'a', keyStart: 9, keyEnd: 12, valueStart: 13, valueEnd: 14 },
    ])
  })

  it.each([
    ['', 'it is empty (0 bytes)'],
    [' \n', 'it holds nothing but white space'],
    ['[]', 'it holds no object at its beginning, at byte 0'],
    ['null', 'it holds no object at its beginning, at byte 0'],
    ['\ufeff{}', 'it begins with a byte order mark, which gateways cannot read'],
    ['{"a":{"b":1},"c":{"d', 'it ends in the middle, after 20 bytes and 1 entries'],
    ['{"a":tru', 'it ends in the middle, after 8 bytes and 0 entries'],
    ['{"a":"\\u00', 'it ends in the middle, after 10 bytes and 0 entries'],
    ['{"a":1}{', 'it holds something after its end, at byte 7'],
    ['{"a":1}\0\0\0', 'it holds zeros from byte 7 on, as a power cut leaves them'],
    ['\0\0\0\0', 'it holds zeros from byte 0 on, as a power cut leaves them'],
    ['{"a":"x\0', 'it holds zeros from byte 7 on, as a power cut leaves them'],
    ['{"a":"x\ny"}', 'it holds a control character inside a string, at byte 7'],
    ['{"a":"\\x"}', 'it holds an escape that JSON does not know, at byte 6'],
    ['{"a":01}', 'it holds something that is no value, at byte 5'],
    ['{"a":}', 'it holds something that is no value, at byte 5'],
    ['{"a":[1,]}', 'it holds something that is no value, at byte 8'],
    ['{"a":[1}', 'it holds a bracket that closes another one, at byte 7'],
    ['{"a":1,}', 'it holds something in place of a key, at byte 7'],
    ['{"a" 1}', 'it holds a key without a colon, at byte 5'],
    ['{"a":1 "b":2}', 'it holds two values without a comma, at byte 7'],
  ])('refuses %j', (text, reason) => expect(because(text)).toBe(reason))

  it('refuses bytes that are not UTF-8', () => {
    expect(because(Buffer.from([0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d]))).toContain('not UTF-8')
    expect(because(Buffer.from('{"a":"\ud800"}', 'utf16le'))).not.toBe('readable')
  })
  it('refuses what is nested deeper than the limit, and not before', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    expect(because(nested(depthMax))).toBe('readable')
    expect(because(nested(depthMax + 1))).toContain(`more than ${depthMax} levels`)
  })
  it('refuses what is larger than any index, before reading it', () => {
    expect(because(Buffer.alloc(indexBytesMax + 1))).toContain(`more than ${indexBytesMax}`)
  })
})

describe('any text', () => {
  const json = fc.json({ maxDepth: 5 }).map((text) => `{"a":${text},"b":"é😀\\n\\ud800"}`)
  /** JSON with a few bytes changed, taken out or put in, some of them not even UTF-8. */
  const almostJson = fc
    .tuple(
      json,
      fc.array(
        fc.record({
          at: fc.nat(200),
          remove: fc.nat(2),
          insert: fc.oneof(
            fc.constantFrom(...'{}[],:"\\0-+.eE \n\t\0'),
            fc.uint8Array({ maxLength: 2 }).map((part) => Buffer.from(part).toString('latin1')),
          ),
        }),
        { maxLength: 2 },
      ),
    )
    .map(([text, edits]) => {
      let bytes = Buffer.from(text)
      for (const { at, remove, insert } of edits)
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(insert, 'latin1'), bytes.subarray(at + remove)])
      return bytes
    })

  it('is readable exactly when a gateway can read it, with the same values', () => {
    fc.assert(
      fc.property(almostJson, (bytes) => {
        const expected = asGatewayReads(bytes)
        if (expected === null) {
          expect(because(bytes)).not.toBe('readable')
          return
        }
        const found = new Map(
          parseIndex(bytes).members.map(({ key, valueStart, valueEnd }) => [
            key,
            JSON.parse(bytes.toString('utf8', valueStart, valueEnd)),
          ]),
        )
        expect(found).toEqual(new Map(Object.entries(expected)))
      }),
      { numRuns: 1000 },
    )
  })
  it('is judged the same however small the steps are', () => {
    fc.assert(
      fc.property(almostJson, fc.integer({ min: 1, max: 9 }), (bytes, step) => {
        const whole = because(bytes)
        let inSteps = 'readable'
        try {
          const scanner = scanIndex(bytes)
          while (!scanner.advance(step)) expect(scanner.at).toBeLessThan(bytes.length)
          expect(scanner.finish()).toEqual(parseIndex(bytes))
        } catch (error) {
          if (!isHoldfastError(error)) throw error
          inSteps = String(error.facts.because)
        }
        expect(inSteps === 'readable').toBe(whole === 'readable')
      }),
      { numRuns: 500 },
    )
  })
})
