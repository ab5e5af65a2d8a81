import { describe, expect, it } from 'vitest'
import { parsePayload } from './payload.ts'

const parse = (text: string) => parsePayload(Buffer.from(text))
const createdAt = '2026-11-26T02:32:09.042Z'
const createdAtMs = Date.parse(createdAt)
const absent = { startTicks: null, maxHoldMs: null, configPath: null, stateDir: null }

describe('the text of a lock', () => {
  it.each([
    ['2026.2', { pid: 15, createdAt }, { pid: 15, createdAtMs }],
    ['2026.3', { pid: 15, createdAt, starttime: 61061 }, { pid: 15, createdAtMs, startTicks: 61061 }],
    [
      '2026.7',
      { pid: 15, createdAt, maxHoldMs: 720_000, starttime: 61061 },
      { pid: 15, createdAtMs, startTicks: 61061, maxHoldMs: 720_000 },
    ],
    [
      'a gateway of 2026.5',
      { pid: 9409, createdAt, configPath: '/h/openclaw.json', startTime: 61061 },
      { pid: 9409, createdAtMs, startTicks: 61061, configPath: '/h/openclaw.json' },
    ],
    [
      'a later one, with more in it',
      { pid: 15, createdAt, ownerId: 'd792', port: 1, x: { y: [] } },
      { pid: 15, createdAtMs },
    ],
  ])('of %s is read', (_, payload, facts) => {
    for (const text of [JSON.stringify(payload), `${JSON.stringify(payload, null, 2)}\n`])
      expect(parse(text)).toEqual({ ...absent, ...facts })
  })
  it('of 2026.9 ends in tabs and spaces, which say nothing to us', () => {
    const trailer = `\t\t\t\t\t\t\t\t${'\t '.repeat(64)}`
    expect(parse(`{\n  "pid": 15\n}\n${trailer}\n`)).toEqual({ pid: 15, createdAtMs: null, ...absent })
  })
  it.each([
    ['no time', { createdAt: 'yesterday' }],
    ['a time that is no text', { createdAt: 5 }],
    ['a start that is no number', { starttime: '5' }],
    ['a start before the boot', { starttime: -1 }],
    ['a limit of nothing', { maxHoldMs: 0 }],
    ['half a limit', { maxHoldMs: 1.5 }],
  ])('that names %s is read without it', (_, more) => {
    expect(parse(JSON.stringify({ pid: 15, ...more }))).toEqual({ pid: 15, createdAtMs: null, ...absent })
  })
  it.each([
    ['', 'it is empty'],
    ['{"pid":15,"crea', 'it is no JSON'],
    ['\0\0\0\0', 'it is no JSON'],
    ['\uFEFF{"pid":15}', 'it is no JSON'],
    ['null', 'it is no JSON object'],
    ['[15]', 'it is no JSON object'],
    ['15', 'it is no JSON object'],
    ['{}', 'it names no process'],
    ['{"pid":"15"}', 'it names no process'],
    ['{"pid":0}', 'it names no process'],
    ['{"pid":-1}', 'it names no process'],
    ['{"pid":1e300}', 'it names no process'],
    ['{"__proto__":{"pid":15}}', 'it names no process'],
  ])('is malformed: %j', (text, malformed) => expect(parse(text)).toEqual({ malformed }))
  it('is malformed where it is no UTF-8, and however deep it is', () => {
    expect(parsePayload(Buffer.from([0x7b, 0xff, 0x7d]))).toEqual({ malformed: 'it is no JSON' })
    expect(parse(`${'['.repeat(32_000)}${']'.repeat(32_000)}`)).toEqual({ malformed: 'it is no JSON object' })
  })
})
