import { describe, expect, it } from 'vitest'
import { direct, indexWith, old, type Scene, short, used } from '../../../../test/openclaw/clean/scene.ts'
import { agentFacts, dayMs, healthyFacts, lockOf, sessionsDir } from '../../../../test/openclaw/facts.ts'
import { defaultHomePolicy } from '../../home/policy.ts'
import type { EntryFacts } from '../../index/facts.ts'
import { planClean } from './plan.ts'

describe('who stays, whatever a limit, the cap and the budget say', () => {
  const tight = { entriesMax: 1, diskBudget: { maxBytes: 1, lowBytes: 1 } }
  const idle = (more: Scene & { key?: string; entry?: Partial<EntryFacts> } = {}) => {
    const scene = used(more.key ?? direct, 'a', 60 * dayMs, more.entry)
    return short({ ...scene, policy: tight, ...more })
  }
  it('is nobody else', () => expect(idle()).toEqual([`drop-entry ${direct}`, 'archive-transcript a.jsonl']))
  it.each([
    'agent:main:main',
    'global',
    'agent:main:telegram:group:-1',
    'agent:main:discord:channel:1',
    'agent:main:matrix:room:!a:b',
    'agent:main:slack:channel:c:thread:1.2',
    'agent:main:telegram:direct:1:topic:7',
  ])('is %s', (key) => expect(idle({ key })).toEqual([]))
  it.each<[string, Partial<EntryFacts>]>([
    ['one that only its chat type tells to be of many', { kind: 'group' }],
    ['one that is pinned', { pinned: true }],
    ['one that waits for a delivery or a child', { pending: true }],
    ['one whose transcript lies elsewhere', { transcript: null, elsewhere: '/other/agents/x/sessions' }],
  ])('is %s', (_, entry) => expect(idle({ entry })).toEqual([]))
  it('is one that may be running', () => {
    const entry = { status: 'running' }
    const running = { state: 'running', pid: 7, sinceMs: null, proof: '', container: null } as const
    expect(idle({ entry, facts: { gateway: running } })).toEqual([])
    expect(idle({ entry, facts: { gateway: { state: 'unknown', because: '' } } })).toEqual([])
    expect(idle({ entry })).toHaveLength(2)
  })
  it('is one that the next start goes on with', () => {
    const policy = { ...tight, resumeAgeMs: 61 * dayMs }
    expect(idle({ entry: { status: 'running' }, policy })).toEqual([])
  })
  it.each(['live', 'unknown'] as const)('is one with a lock that is %s', (verdict) => {
    const scene = used(direct, 'a', 60 * dayMs)
    expect(idle({ agent: { index: indexWith(scene), locks: [lockOf('a', verdict)] } })).toEqual([])
  })
  it('is one that was touched within minutes', () => {
    const policy = { ...tight, transcriptIdleMs: 1_000 }
    expect(short({ ...used(direct, 'a', 9 * 60_000), policy })).toEqual([])
    expect(short({ ...used(direct, 'a', 11 * 60_000), policy })).toHaveLength(2)
  })
  it('is one that a migration names, by file and by directory', () => {
    const { home } = healthyFacts()
    const withReceipts = (...receipts: string[]) => {
      const policy = { ...defaultHomePolicy, ...tight }
      const facts = healthyFacts({ home: { ...home, receipts, policy } })
      const scene = used(direct, 'a', 60 * dayMs)
      const agents = [agentFacts({ index: indexWith(scene), files: scene.files ?? [] })]
      return planClean({ facts: { ...facts, agents }, parents: new Map(), trustClock: false, throughGateway: false })
        .steps
    }
    expect(withReceipts(`${sessionsDir}/a.jsonl`)).toEqual([])
    expect(withReceipts(sessionsDir)).toEqual([])
    expect(withReceipts(`${sessionsDir}/a.json`)).toHaveLength(2)
  })
  it('is one whose transcript is a link or has a second name', () => {
    expect(
      idle({
        agent: { index: indexWith(used(direct, 'a', 60 * dayMs)), odd: [{ name: 'a.jsonl', what: 'link' }] },
        files: [],
      }),
    ).toEqual([])
    expect(idle({ files: [old('a.jsonl', 60 * dayMs, { links: 2 })] })).toEqual([])
  })
})
