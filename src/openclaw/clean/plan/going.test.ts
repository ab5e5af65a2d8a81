import { describe, expect, it } from 'vitest'
import { ago, direct, indexWith, old, plan, run, short, used } from '../../../../test/openclaw/clean/scene.ts'
import { dayMs, entryFacts, hourMs, lockOf } from '../../../../test/openclaw/facts.ts'
import type { EntryFacts } from '../../index/facts.ts'

describe('an idle session', () => {
  const gone = [`drop-entry ${direct}`, 'archive-transcript a.jsonl']
  it('goes with its entry a millisecond after the limit', () => {
    expect(short(used(direct, 'a', 5 * dayMs))).toEqual([])
    expect(short(used(direct, 'a', 5 * dayMs + 1))).toEqual(gone)
  })
  it('says since when, and which rule it is', () => {
    const { steps } = plan({
      ...used(direct, 'a', 6 * dayMs),
      policy: { sources: { transcriptIdleMs: 'openclaw.json' } },
    })
    expect(steps[0]?.because).toBe('unused for 6d; the limit is 5d (openclaw.json)')
  })
  it('takes along what a gateway keeps beside its transcript, and a lock that nobody holds', () => {
    const scene = used(direct, 'a', 6 * dayMs)
    const beside = ['a.trajectory.jsonl', 'a.trajectory-path.json', 'a-topic-7.jsonl'].map((name) =>
      old(name, 6 * dayMs),
    )
    const files = [...(scene.files ?? []), ...beside]
    expect(short({ ...scene, files, agent: {} })).toEqual([
      ...gone,
      'archive-transcript a-topic-7.jsonl',
      'archive-leftover a.trajectory.jsonl',
      'archive-leftover a.trajectory-path.json',
    ])
    const locked = plan({ ...scene, agent: { index: indexWith(scene), files, locks: [lockOf('a', 'dead')] } })
    expect(locked.steps.map(({ kind }) => kind)).toContain('clear-lock')
  })
  it('stays when only its transcript was used', () => {
    expect(short({ ...used(direct, 'a', 6 * dayMs), files: [old('a.jsonl', 4 * dayMs)] })).toEqual([])
  })
  it('stays with another key of the same transcript', () => {
    const scene = used(direct, 'a', 6 * dayMs)
    const group = entryFacts('agent:main:telegram:group:-1', 'a', { usedAtMs: ago(6 * dayMs) })
    expect(short({ ...scene, entries: [...(scene.entries ?? []), group] })).toEqual([])
    const other = entryFacts('agent:main:telegram:direct:2', 'a', { usedAtMs: ago(6 * dayMs) })
    expect(short({ ...scene, entries: [...(scene.entries ?? []), other] })).toEqual([
      gone[0],
      'drop-entry agent:main:telegram:direct:2',
      gone[1],
    ])
  })
  it('goes with the earlier parts that it continues', () => {
    const name = '2026-11-01T10-11-12-345Z_b.jsonl'
    const entries = [entryFacts(direct, 'b', { usedAtMs: ago(6 * dayMs), transcript: name })]
    const files = [old(name, 6 * dayMs), old('a.jsonl', 20 * dayMs)]
    const parents = new Map([['main', new Map([[name, 'a.jsonl']])]])
    expect(short({ entries, files, input: { parents } })).toEqual([
      gone[0],
      `archive-transcript ${name}`,
      'archive-transcript a.jsonl',
    ])
    const inUse = [{ ...(entries[0] as EntryFacts), usedAtMs: ago(dayMs) }]
    expect(short({ entries: inUse, files, input: { parents } })).toEqual([])
  })
})

describe('an entry without a transcript', () => {
  it('goes after the time of bindings', () => {
    const scene = (ageMs: number) => ({ ...used(direct, 'a', ageMs), files: [] })
    expect(short(scene(30 * dayMs))).toEqual([])
    expect(short(scene(30 * dayMs + 1))).toEqual([`drop-entry ${direct}`])
  })
  it('whose age cannot be told stays, but for the cap', () => {
    const entries = [entryFacts(direct, 'a', { usedAtMs: 0 })]
    expect(short({ entries })).toEqual([])
    expect(short({ entries, policy: { entriesMax: 1 } })).toEqual([`drop-entry ${direct}`])
  })
})

describe('a cron run', () => {
  it('goes with its transcript after its time to live', () => {
    expect(short(used(run, 'a', dayMs))).toEqual([])
    expect(short(used(run, 'a', dayMs + 1))).toEqual([`drop-entry ${run}`, 'archive-transcript a.jsonl'])
    expect(short(used('agent:main:cron:j', 'a', 2 * dayMs))).toEqual([])
  })
  it('stays when its retention is off, but for the cap', () => {
    expect(short({ ...used(run, 'a', 90 * dayMs), policy: { cronRunMs: null } })).toEqual([])
    expect(short({ ...used(run, 'a', 90 * dayMs), policy: { cronRunMs: null, entriesMax: 1 } })).toHaveLength(2)
  })
})

describe('the cap', () => {
  const many = (count: number) => {
    const each = Array.from({ length: count }, (_, at) =>
      used(`agent:main:telegram:direct:${at + 1}`, `s${at}`, (at + 1) * hourMs),
    )
    return { entries: each.flatMap(({ entries = [] }) => entries), files: each.flatMap(({ files = [] }) => files) }
  }
  it('takes the longest unused first, as many as are over', () => {
    expect(short({ ...many(5), policy: { entriesMax: 4 } })).toEqual([
      'drop-entry agent:main:telegram:direct:5',
      'archive-transcript s4.jsonl',
      'drop-entry agent:main:telegram:direct:4',
      'archive-transcript s3.jsonl',
    ])
    expect(short({ ...many(5), policy: { entriesMax: 6 } })).toEqual([])
  })
  it('says when those who must stay are too many', () => {
    const entries = ['1', '2', '3'].map((each) => entryFacts(`agent:main:telegram:group:${each}`, each))
    const { steps, notes } = plan({ entries, policy: { entriesMax: 2 } })
    expect(steps).toEqual([])
    expect(notes).toEqual(['2 entries of agent main over the cap must stay; the limit is 2.'])
  })
})
