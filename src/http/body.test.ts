import { describe, expect, it } from 'vitest'
import { silentTelemetry } from '../engine/telemetry.ts'
import { hasMoreValues, readJson } from './body.ts'

const read = (body: string) =>
  readJson(new Request('http://localhost', { method: 'POST', body }), Number.POSITIVE_INFINITY, silentTelemetry)

function valuesIn(text: string): number {
  let most = 0
  while (hasMoreValues(text, most)) most += 1
  return most
}

describe('values of a body, counted without parsing:', () => {
  it.each<[string, string, number]>([
    ['a number', '7', 1],
    ['a list', '[1,2,3]', 4],
    ['an object', '{"a":1,"b":[{}]}', 5],
    ['signs inside a string', '["[,{", "a"]', 3],
    ['a quote inside a string', String.raw`["\",[", 1]`, 3],
    ['a backslash at the end of a string', String.raw`["\\", "\\\\",1]`, 4],
    ['a string that never ends', '["abc,,,,,', 2],
    ['a string that ends with a backslash', String.raw`"abc,\"`, 1],
    ['quotes and backslashes only', String.raw`\"`.repeat(1_000_000), 1],
  ])('%s', (_, text, values) => {
    expect(valuesIn(text)).toBe(values)
  })
})

describe('a body that would hold up every other request', () => {
  it.each([
    ['of a million lists, each in the one before', '['.repeat(1_000_000)],
    ['of a million fields', `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(',')}}`],
  ])('%s is refused before it is parsed', async (_, body) => {
    const error = { code: 'REQUEST_INVALID', facts: { because: 'it holds more than 100000 values' } }
    await expect(read(body)).rejects.toMatchObject(error)
  })
  it('is none with one long text', async () => {
    const long = { text: '[,{'.repeat(1_000_000) }
    expect(await read(JSON.stringify(long))).toEqual(long)
  })
})
