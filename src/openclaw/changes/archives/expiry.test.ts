import { describe, expect, it } from 'vitest'
import { type BundleFacts, planExpiry } from './expiry.ts'

const nowMs = 1_000_000
const bundle = (file: string, shelf: BundleFacts['shelf'], ageMs: number, bytes = 10): BundleFacts => ({
  run: 'a run',
  file,
  atMs: nowMs - ageMs,
  bytes,
  shelf,
})
const goes = (bundles: BundleFacts[], archiveMs: number | null, archiveBytesMax: number | null) =>
  planExpiry(bundles, { archiveMs, archiveBytesMax }, nowMs).map(({ bundle: { file } }) => file)

describe('what expires', () => {
  it('by age: errands and what was put back, one millisecond after their time', () => {
    const all = [bundle('errand', 'errand', 101), bundle('young', 'errand', 100), bundle('said', 'said', 9_999)]
    expect(goes([...all, bundle('undone', 'undone', 101)], 100, null)).toEqual(['errand', 'undone'])
    expect(goes(all, null, null)).toEqual([])
  })

  it('by bytes: only as much as is needed, what was put back first, the oldest errands then, what people said last', () => {
    const all = [
      bundle('said old', 'said', 90),
      bundle('said', 'said', 20),
      bundle('errand', 'errand', 10),
      bundle('errand old', 'errand', 50),
      bundle('undone', 'undone', 1),
    ]
    expect(goes(all, null, 50)).toEqual([])
    expect(goes(all, null, 49)).toEqual(['undone'])
    expect(goes(all, null, 25)).toEqual(['undone', 'errand old', 'errand'])
    expect(goes(all, null, 0)).toEqual(['undone', 'errand old', 'errand', 'said old', 'said'])
  })

  it('counts what goes by its age', () => {
    const all = [bundle('old', 'errand', 200), bundle('a', 'errand', 20), bundle('b', 'errand', 10)]
    expect(goes(all, 100, 20)).toEqual(['old'])
    expect(goes(all, 100, 19)).toEqual(['old', 'a'])
  })

  it('never what comes from the future: a clock is wrong', () => {
    const all = [bundle('future', 'errand', -1, 1_000)]
    expect(goes(all, 0, 0)).toEqual([])
  })
})
