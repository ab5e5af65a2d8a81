import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import {
  countMessage,
  countParams,
  countRequest,
  countText,
  cutToTokens,
  imageTokens,
  nextMeterRatio,
  ratioAfterTooLong,
} from './meter.ts'

const prose = 'The lease of a holder that has ended is expired, and its turn waits to be run again.\n'.repeat(90)

describe('countText', () => {
  it('counts prose exactly as the tokenizer does, up to 8,192 units', () => {
    expect(prose.length).toBeLessThan(8_192)
    expect(countText(prose)).toBe(countTokens(prose))
  })

  it('estimates longer text from even samples, within 5 %', () => {
    const long = Array.from(
      { length: 3_000 },
      (_, index) => `Line ${index} says that ${index * 7} things happened.`,
    ).join('\n')
    const exact = countTokens(long)
    expect(Math.abs(countText(long) / exact - 1)).toBeLessThan(0.05)
  })

  it('sees a change of script in the middle of a long text', () => {
    const plain = 'word '.repeat(20_000)
    const mixed = `${'word '.repeat(10_000)}${'漢字仮名'.repeat(12_500)}`
    expect(countText(mixed)).toBeGreaterThan(countText(plain) * 1.5)
  })

  it('treats words of the model itself as plain text', () => {
    expect(countText('<|endoftext|>')).toBeGreaterThan(1)
  })

  it.each([
    ['one letter', 'a'],
    ['Chinese without a space', '漢字'],
    ['emoji', '👩‍👩‍👧'],
    ['spaces', ' '],
    ['lone surrogates', '\ud800'],
    ['base64', 'qL3+x/9Zk'],
  ])('is bounded for a megabyte of %s', (_name, unit) => {
    const text = unit.repeat(Math.ceil(1_000_000 / unit.length))
    const startMs = performance.now()
    expect(countText(text)).toBeGreaterThan(0)
    // One piece of 64 KB alone took the tokenizer up to 14 s.
    expect(performance.now() - startMs).toBeLessThan(2_000)
  })
})

describe('countMessage', () => {
  it('counts tool calls with their names and arguments', () => {
    const call = { id: 'c1', type: 'function' as const, function: { name: 'read_file', arguments: '{"path":"a.txt"}' } }
    const without = countMessage({ role: 'assistant', content: null })
    const counted = countMessage({ role: 'assistant', content: null, tool_calls: [call] })
    expect(counted).toBeGreaterThanOrEqual(without + countText('read_file') + countText('{"path":"a.txt"}'))
  })

  it('takes a flat sum for an image, whatever its bytes', () => {
    const image = (bytes: number) => ({
      role: 'user' as const,
      content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(bytes)}` } }],
    })
    expect(countMessage(image(100))).toBe(countMessage(image(1_000_000)))
    expect(countMessage(image(100))).toBeGreaterThanOrEqual(imageTokens)
  })

  it('counts text in fields that Holdfast does not know', () => {
    const thinking = { role: 'assistant' as const, content: 'yes', reasoning_content: 'because of this and that' }
    expect(countMessage(thinking)).toBe(
      countMessage({ role: 'assistant', content: 'yes' }) + countText('because of this and that'),
    )
  })

  it('does not fail on a call of an unknown shape', () => {
    const custom = { id: 'c1', type: 'custom', custom: { name: 'grep', input: 'x' } }
    expect(countMessage({ role: 'assistant', content: null, tool_calls: [custom as never] })).toBeGreaterThan(10)
  })
})

it('counts tool definitions as part of a request', () => {
  const tools = [{ type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } }]
  expect(countParams({ tools })).toBeGreaterThan(countParams({ temperature: 1 }) + 10)
  expect(countRequest({ instructions: [{ role: 'system', content: 'Be brief.' }], params: {} })).toBeGreaterThan(5)
})

it('cuts a text to at most the tokens asked for, keeping its beginning', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(400), fc.nat(1_500), (unit, times, tokensMax) => {
      const text = unit.repeat(times)
      const cut = cutToTokens(text, tokensMax)
      expect(text.startsWith(cut)).toBe(true)
      expect(countText(cut)).toBeLessThanOrEqual(tokensMax)
    }),
    { numRuns: 15 },
  )
})

describe('nextMeterRatio', () => {
  it('moves towards what the provider reports, faster up than down', () => {
    expect(nextMeterRatio(1, 1_000, 1_500)).toBeCloseTo(1.25)
    expect(nextMeterRatio(1, 1_000, 500)).toBeCloseTo(0.9)
  })

  it('ends at the true ratio of a model with another tokenizer', () => {
    let ratio = 1
    for (let turn = 0; turn < 12; turn += 1) ratio = nextMeterRatio(ratio, 2_000, 2_600)
    expect(ratio).toBeCloseTo(1.3, 2)
  })

  it.each([
    ['zero', 1_000, 0],
    ['nothing', 1_000, Number.NaN],
    ['infinity', 1_000, Number.POSITIVE_INFINITY],
    ['a negative number', 1_000, -5],
    ['only the tokens that were not cached', 100_000, 12],
    ['a number from another unit', 1_000, 400_000],
    ['a request that is mostly framing', 10, 30],
  ])('ignores a report of %s', (_name, estimated, reported) => {
    expect(nextMeterRatio(1.2, estimated, reported)).toBe(1.2)
  })

  it('stays between a quarter and four, whatever is reported', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), fc.double(), (previous, estimated, reported) => {
        const ratio = nextMeterRatio(previous, estimated, reported)
        expect(ratio).toBeGreaterThanOrEqual(0.25)
        expect(ratio).toBeLessThanOrEqual(4)
      }),
    )
  })
})

describe('ratioAfterTooLong', () => {
  it('reaches the highest ratio after a few refusals in a row, and stays there', () => {
    const ratios = [1, 2, 3, 4, 5].map((refusals) => {
      let ratio = 1
      for (let done = 0; done < refusals; done += 1) ratio = ratioAfterTooLong(ratio)
      return ratio
    })
    expect(ratios).toEqual([1.5, 2.25, 3.375, 4, 4])
  })
})
