import { expect, it } from 'vitest'
import { lockOf } from '../../../test/openclaw/facts.ts'
import { changesOf } from './follow.ts'
import type { JudgedLock } from './verdict.ts'

const at = (ageMs: number, more: Partial<JudgedLock> = {}) => lockOf('a', 'live', { ageMs, ...more })
const kinds = (before: JudgedLock[], now: JudgedLock[]) => changesOf(before, now).map(({ kind }) => kind)
const taken = (ino: bigint) => ({ identity: { ...at(0).identity, ino } })

it('tells of a lock when it comes, when it goes, and when the name has been taken anew', () => {
  expect(kinds([], [at(5)])).toEqual(['held'])
  expect(kinds([at(5)], [])).toEqual(['released'])
  expect(kinds([at(5)], [at(1, taken(2n))])).toEqual(['released', 'held'])
  expect(kinds([at(5)], [at(1_005)])).toEqual([])
})

it('tells of one that lingers once at each mark', () => {
  expect(kinds([at(10_000)], [at(10_001)])).toEqual(['lingers'])
  expect(kinds([at(10_001)], [at(60_000)])).toEqual([])
  expect(kinds([at(9_000)], [at(400_000)])).toEqual(['lingers'])
})

it('tells of a new verdict, and of one that is overdue, in place of that', () => {
  expect(kinds([at(9_000)], [at(10_000, { verdict: 'dead' })])).toEqual(['judged'])
  expect(kinds([at(299_000)], [at(300_000)])).toEqual([]) // overdue begins behind the limit
  expect(kinds([at(300_000)], [at(300_001, { overdue: true })])).toEqual(['judged'])
})
