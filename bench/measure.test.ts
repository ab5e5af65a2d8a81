import { describe, expect, it } from 'vitest'
import { interleave, percentile, putTogether } from './measure.ts'
import { atLeast, atMost, formatFigure, formatSection, isMet } from './report.ts'

describe('percentile', () => {
  it.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2],
    [[1, 2, 3, 4], 0.99, 4],
    [[7], 0.01, 7],
  ])('of %j at %d is a value that was seen', (values, share, wanted) => {
    expect(percentile(values, share)).toBe(wanted)
  })
  it('refuses to make a figure out of nothing', () => expect(() => percentile([], 0.5)).toThrow(RangeError))
})

describe('rounds', () => {
  it('gives the median of the rounds, so that one bad round does not count', () => {
    const round = (ms: number) => ({ latenciesMs: [ms, ms], wallMs: 2 * ms })
    expect(putTogether([round(1), round(90), round(2)])).toEqual({
      medianMs: 2,
      p99Ms: 2,
      perSecond: 500,
      medianRangeMs: [1, 90],
      operations: 6,
    })
  })
  it('lets nobody always be the first', async () => {
    const order: string[] = []
    const subject = (name: string) => ({
      name,
      round: async () => {
        order.push(name)
        return { latenciesMs: [1], wallMs: 1 }
      },
    })
    await interleave([subject('a'), subject('b')], 2)
    expect(order).toEqual(['a', 'b', 'b', 'a'])
  })
})

describe('the report', () => {
  it('counts a target that is hit exactly as met', () => {
    expect([atMost('x', 2, 2), atMost('x', 2.01, 2), atLeast('x', 2, 2), atLeast('x', 1.99, 2)].map(isMet)).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
  it.each([
    [0.0694, 'ms', '69.4 µs'],
    [12.34, 'ms', '12.3 ms'],
    [36_000, 'per second', '36,000/s'],
    [18_400, 'bytes', '18.4 KB'],
    [1.284, 'times', '1.28×'],
  ] as const)('writes %d %s as %s', (value, unit, text) => expect(formatFigure(value, unit)).toBe(text))
  it('says NOT MET in so many words', () => {
    const text = formatSection({ title: 'a table', rows: [], targets: [atMost('the wait', 3, 2, 'ms')], notes: [] })
    expect(text).toContain('the wait: 3.00 ms, wanted ≤ 2.00 ms: NOT MET')
  })
})
