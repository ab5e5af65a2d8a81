import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '../model/errors.ts'
import { parseSchedule } from './schedule.ts'

const at = (text: string) => Date.parse(text)
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString().replace('.000Z', 'Z'))
const year2026 = at('2026-01-01T00:00:00Z')

function dueTimes(expression: string, zone: string, from: string, count: number) {
  const schedule = parseSchedule(expression, zone, at(from))
  const found: (string | null)[] = []
  for (let next = schedule.after(at(from)); next !== null && found.length < count; next = schedule.after(next)) {
    found.push(iso(next))
  }
  return found
}

describe('a schedule', () => {
  it('is due strictly after the time that is given, to the millisecond', () => {
    const daily = parseSchedule('0 4 * * *', 'UTC', year2026)
    expect(iso(daily.after(at('2026-05-01T03:59:59.999Z')))).toBe('2026-05-01T04:00:00Z')
    expect(iso(daily.after(at('2026-05-01T04:00:00.000Z')))).toBe('2026-05-02T04:00:00Z')
  })
  it('was due last at a time with the one that is given included', () => {
    const daily = parseSchedule('0 4 * * *', 'UTC', year2026)
    expect(daily.upTo(at('2026-05-03T03:59:59.999Z'), 2).map(iso)).toEqual([
      '2026-05-02T04:00:00Z',
      '2026-05-01T04:00:00Z',
    ])
    expect(daily.upTo(at('2026-05-03T04:00:00.000Z'), 1).map(iso)).toEqual(['2026-05-03T04:00:00Z'])
  })
  it('has seconds when it has six fields', () => {
    expect(dueTimes('*/20 * * * * *', 'UTC', '2026-05-01T00:00:30Z', 2)).toEqual([
      '2026-05-01T00:00:40Z',
      '2026-05-01T00:01:00Z',
    ])
  })
  it('is read in its zone', () => {
    expect(dueTimes('0 7 * * 1-5', 'Asia/Kathmandu', '2026-05-02T00:00:00Z', 1)).toEqual(['2026-05-04T01:15:00Z'])
  })
  it('knows leap days', () => {
    expect(dueTimes('0 0 29 2 *', 'UTC', '2026-05-01T00:00:00Z', 2)).toEqual([
      '2028-02-29T00:00:00Z',
      '2032-02-29T00:00:00Z',
    ])
    expect(dueTimes('@daily', 'UTC', '2028-02-28T12:00:00Z', 2)).toEqual([
      '2028-02-29T00:00:00Z',
      '2028-03-01T00:00:00Z',
    ])
  })
})

describe('when the clocks change in Vienna', () => {
  it('a time that spring leaves out is due when the clock has jumped', () => {
    expect(dueTimes('30 2 * * *', 'Europe/Vienna', '2026-03-28T00:00:00Z', 3)).toEqual([
      '2026-03-28T01:30:00Z',
      '2026-03-29T01:00:00Z',
      '2026-03-30T00:30:00Z',
    ])
  })
  it('a time that comes twice in autumn is due the first time', () => {
    expect(dueTimes('30 2 * * *', 'Europe/Vienna', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
    ])
  })
  it('what is due every half hour goes on through both', () => {
    expect(dueTimes('*/30 * * * *', 'Europe/Vienna', '2026-10-25T00:15:00Z', 4)).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:00:00Z',
      '2026-10-25T01:30:00Z',
      '2026-10-25T02:00:00Z',
    ])
    expect(dueTimes('*/30 * * * *', 'Europe/Vienna', '2026-03-29T00:15:00Z', 3)).toEqual([
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:30:00Z',
    ])
  })
})

it('gives the same times forwards and backwards, growing, over a whole year with its changes', () => {
  const expressions = ['30 2 * * *', '0 */6 * * *', '15 3 * * 0', '0 12 L * *', '0 2 28-31 3,10 *']
  const zones = ['Europe/Vienna', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'UTC']
  const yearMs = 366 * 86_400_000
  fc.assert(
    fc.property(fc.constantFrom(...expressions), fc.constantFrom(...zones), fc.nat(yearMs), (text, zone, ms) => {
      const schedule = parseSchedule(text, zone, year2026)
      const first = schedule.after(year2026 + ms) as number
      const second = schedule.after(first) as number
      expect(first).toBeGreaterThan(year2026 + ms)
      expect(second).toBeGreaterThan(first)
      expect(schedule.upTo(second, 2)).toEqual([second, first])
      expect(schedule.upTo(second - 1, 1)).toEqual([first])
    }),
    { seed: 20_260_101, numRuns: 200 },
  )
})

describe('is refused, with the reason', () => {
  it.each([
    ['0 0 30 2 *', 'UTC', 'never due'],
    ['0 0 31 4,6 *', 'UTC', 'never due'],
    ['', 'UTC', 'neither 5 or 6 fields'],
    ['hello', 'UTC', 'neither 5 or 6 fields'],
    ['* * * *', 'UTC', 'neither 5 or 6 fields'],
    ['0 0 0 1 1 * 2030', 'UTC', 'neither 5 or 6 fields'],
    ['2026-12-01T00:00:00', 'UTC', 'neither 5 or 6 fields'],
    ['@reboot', 'UTC', 'neither 5 or 6 fields'],
    ['61 * * * *', 'UTC', 'minute'],
    ['* 24 * * *', 'UTC', 'hour'],
    ['* * * 13 *', 'UTC', 'month'],
    ['*/0 * * * *', 'UTC', 'cannot be read'],
    ['a b c d e', 'UTC', 'cannot be read'],
    ['* * * * *', 'Europe/Atlantis', 'no time zone'],
    [`${'1,'.repeat(200)}1 * * * *`, 'UTC', 'more than 255'],
  ])('%s in %s', (expression, zone, because) => {
    const refusal = () => parseSchedule(expression, zone, year2026)
    expect(refusal).toThrow(because)
    expect(refusal).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }))
  })
  it('whatever is written, as a job that is not valid and nothing else', () => {
    const field = fc.constantFrom(
      '*',
      '0',
      '1-5',
      '*/7',
      '31',
      'L',
      '5#2',
      '1W',
      '?',
      'MON',
      '60',
      '-1',
      '1-',
      'x',
      '*/',
    )
    fc.assert(
      fc.property(fc.array(field, { minLength: 4, maxLength: 7 }), (fields) => {
        try {
          const schedule = parseSchedule(fields.join(' '), 'Europe/Vienna', year2026)
          expect(schedule.after(year2026)).toBeGreaterThan(year2026)
        } catch (error) {
          if (!isHoldfastError(error, 'JOB_INVALID')) throw error
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})
