import { describe, expect, it } from 'vitest'
import type { Entry } from '../../src/model/entries.ts'
import { alice as key } from '../../src/testing/contract/scene.ts'
import { type Event, faultsIn, mixedTurnsIn } from './history.ts'

const entry = (seq: number, id: string, turnId: string): Entry => ({
  seq,
  id,
  turnId,
  parentId: null,
  attempt: 1,
  kind: 'assistant',
  body: { role: 'assistant', content: id },
  tokens: 1,
  atMs: 1,
})
const claimed = (turnId: string, fence: number): Event => ({ kind: 'claimed', key, turnId, fence })
const wrote = (turnId: string, fence: number, ...entryIds: string[]): Event => ({
  kind: 'wrote',
  key,
  turnId,
  fence,
  entryIds,
})
const refused = (turnId: string, fence: number, id: string): Event => ({
  kind: 'refused',
  key,
  turnId,
  fence,
  entryIds: [id],
})

const events: Event[] = [
  claimed('t1', 1),
  wrote('t1', 1, 'a'),
  claimed('t2', 3),
  refused('t1', 1, 'late'),
  wrote('t2', 3, 'b'),
]
const transcript = [entry(1, 'a', 't1'), entry(2, 'b', 't2')]

describe('the history checker', () => {
  it('accepts a history in which the late write was refused', () => {
    expect([faultsIn(key, events, transcript), mixedTurnsIn(transcript)]).toEqual([[], []])
  })

  it('finds a stale write that was accepted', () => {
    const accepted = [...events.filter(({ kind }) => kind !== 'refused'), wrote('t1', 1, 'late')]
    const after = [...transcript, entry(3, 'late', 't1')]
    expect(faultsIn(key, accepted, after)).toEqual(['entry late of fence 1 stands after b of 3'])
    expect(mixedTurnsIn(after)).toEqual(['entry 3 comes after its turn t1/1 was over'])
  })

  it('finds a refused write that stands there all the same', () => {
    expect(faultsIn(key, events, [...transcript, entry(3, 'late', 't1')])).toEqual([
      'entry late, which was refused, stands 1 times',
    ])
  })

  it('finds what was lost, doubled or follows a gap', () => {
    expect(faultsIn(key, events, [entry(1, 'a', 't1')])).toHaveLength(1)
    expect(faultsIn(key, events, [entry(1, 'a', 't1'), entry(2, 'b', 't2'), entry(3, 'b', 't2')])).toHaveLength(1)
    expect(faultsIn(key, events, [entry(1, 'a', 't1'), entry(3, 'b', 't2')])).toHaveLength(1)
  })

  it('finds a fence that fell, and one that was given twice', () => {
    expect(faultsIn(key, [...events, { kind: 'seen', key, fence: 2 }], transcript)).toEqual([
      'the fence fell from 3 to 2',
    ])
    expect(faultsIn(key, [...events, claimed('t3', 3)], transcript)).toEqual(['fence 3 was given twice'])
  })
})
