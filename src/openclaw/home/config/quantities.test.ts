import { describe, expect, it } from 'vitest'
import { gatewayDuration, gatewaySize } from './quantities.ts'

const hourMs = 3_600_000

describe('a duration of a gateway', () => {
  it.each([
    ['30d', 30 * 24 * hourMs],
    [' 24H ', 24 * hourMs],
    ['1h30m', 1.5 * hourMs],
    ['1.5h', 1.5 * hourMs],
    ['500ms', 500],
    ['1d12h30m10s5ms', 36 * hourMs + 30 * 60_000 + 10_005],
    ['7', 7 * 24 * hourMs],
    [7, 7 * 24 * hourMs],
    [0.5, 12 * hourMs],
    [0, 0],
    ['0', 0],
  ])('%j is %d ms', (value, ms) => expect(gatewayDuration(value, 'd')).toBe(ms))

  it('is in the unit of its setting when it is a number alone', () => {
    expect(gatewayDuration('6', 'h')).toBe(6 * hourMs)
  })

  it.each([
    '',
    '  ',
    'soon',
    '1w',
    '-1d',
    '1d -2h',
    '1h 30m',
    '1h30',
    'd',
    '1e9d',
    '9999999999999999d',
    null,
    true,
    {},
    -1,
    NaN,
  ])('%j is none', (value) => expect(gatewayDuration(value, 'd')).toBeNull())
})

describe('a size of a gateway', () => {
  it.each([
    ['10mb', 10 * 1024 ** 2],
    ['2G', 2 * 1024 ** 3],
    ['1.5kb', 1536],
    ['512', 512],
    [512, 512],
    ['1t', 1024 ** 4],
    [0, 0],
  ])('%j is %d bytes', (value, bytes) => expect(gatewaySize(value)).toBe(bytes))

  it.each([
    '',
    '10 mb',
    '10mib',
    'mb',
    '-1',
    '1e3',
    'constructor',
    '1constructor',
    '9007199254740993',
    null,
    false,
    [1],
  ])('%j is none', (value) => expect(gatewaySize(value)).toBeNull())
})
