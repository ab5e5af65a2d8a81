import { describe, expect, it } from 'vitest'
import {
  agentFacts,
  dayMs,
  entryFacts,
  fileOf,
  healthyAround,
  healthyFacts,
  hourMs,
  lockOf,
  nowMs,
  readIndexOf,
  sessionsDir,
} from '../../../test/openclaw/facts.ts'
import {
  cut,
  home,
  opened,
  type Planted,
  planted,
  scheduled,
  withDamage,
  withEntry,
  withFile,
} from '../../../test/openclaw/planted.ts'
import { damageKinds } from '../transcripts/facts.ts'
import { findingCatalog } from './catalog.ts'
import { examine } from './examine.ts'
import { examplesMax, seenOf } from './finding.ts'
import { totalsOf } from './totals.ts'

const healthy = agentFacts()

function look({ facts, agent, around }: Planted, named = false, parents: [string, Map<string, string>][] = []) {
  const agents = agent === undefined ? {} : { agents: [agentFacts(agent)] }
  return examine(seenOf(healthyFacts({ ...agents, ...facts }), healthyAround(around), new Map(parents), named))
}
const codesOf = (each: Planted) => look(each).map(({ code }) => code)

describe('a healthy home', () => {
  it('has no finding', () => expect(look({})).toEqual([]))
  it('takes what it takes', () => {
    const totals = totalsOf(seenOf(healthyFacts(), healthyAround(), new Map(), false))
    expect(totals).toMatchObject({ agents: 1, files: 3, bytes: 6_000, wastedBytes: 0, entries: 2 })
    expect(totals.transcripts).toEqual({ files: 2, bytes: 4_000 })
  })
})

describe('a finding', () => {
  const all = Object.entries(planted).flatMap(([code, some]) => some.map((each, at) => ({ code, at, each })))

  it.each(all)('$code is found where it is, and nothing else is ($at)', ({ code, each }) => {
    expect(codesOf(each)).toEqual([code])
  })
  it.each(all)('$code says how much, in what, and what to do ($at)', ({ each }) => {
    const [found] = look(each)
    expect(found?.evidence).toMatch(/^\S.*\S\.$/)
    expect(found?.fix.length).toBeGreaterThan(8)
    expect(found?.count).toBeGreaterThan(0)
  })
  it('never has a key or a file in its evidence', () => {
    for (const { each } of all) {
      const [found] = look(each)
      expect(found?.evidence).not.toMatch(/agent:|\.jsonl|\/home/)
    }
  })
  it('is there for every code', () => {
    expect(Object.keys(planted).sort()).toEqual(Object.keys(findingCatalog).sort())
  })
  it('is there for every kind of damage', () => {
    for (const kind of damageKinds) expect(codesOf({ agent: withDamage(kind) })).toHaveLength(1)
  })
  it('stands for thousands, with a few examples', () => {
    const locks = Array.from({ length: 5_000 }, (_, at) => lockOf(`s${at}`, 'dead', { ageMs: at }))
    const [found] = look({ agent: { locks } })
    expect(found?.count).toBe(5_000)
    expect(found?.examples).toHaveLength(examplesMax)
    expect(found?.examples[0]?.path).toContain('s4999')
  })
  it('comes before lighter ones', () => {
    const severities = look({
      agent: {
        ...withDamage('duplicate-reply', 'torn-tail'),
        locks: [lockOf('a', 'live'), lockOf('z', 'unknown', { overdue: true })],
      },
    }).map(({ severity }) => severity)
    expect(severities).toEqual(['error', 'warning', 'note', 'note'])
  })
})

describe('a command', () => {
  it('names the home where there are several', () => {
    expect(look({ agent: { locks: [lockOf('a', 'dead')] } }, true)[0]?.fix).toBe(
      'holdfast locks clear --home /home/bot/.openclaw',
    )
    const several = look({ agent: withDamage('header-old') }, true)
    expect(several[0]?.fix).toBe('OPENCLAW_STATE_DIR=/home/bot/.openclaw openclaw doctor --fix')
  })
  it('is one that a shell reads as it is meant', () => {
    const facts = { ...home({ dir: "/srv/it's $HOME" }), agents: [agentFacts({ locks: [lockOf('a', 'dead')] })] }
    expect(look({ facts, around: scheduled({ homes: [] }) }, true)[0]?.fix).toBe(
      `holdfast locks clear --home '/srv/it'\\''s $HOME'`,
    )
  })
})

describe('what is at work is left alone', () => {
  const running = { state: 'running', pid: 7, sinceMs: nowMs - 2 * hourMs, proof: '', container: null } as const

  it('a line that is being written is not torn', () => {
    const agent = { ...withDamage('torn-tail'), locks: [lockOf('b', 'live')] }
    expect(codesOf({ agent })).toEqual(['LOCK_HELD'])
    const fresh = {
      ...withDamage('torn-tail'),
      files: [fileOf('a.jsonl'), fileOf('b.jsonl', { mtimeMs: nowMs - 9_000 })],
    }
    expect(codesOf({ agent: fresh, facts: { gateway: running } })).toEqual([])
    expect(codesOf({ agent: fresh })).toEqual(['TRANSCRIPT_TORN'])
  })
  it('a session that a living gateway runs is not interrupted', () => {
    expect(codesOf({ agent: withEntry('agent:main:group:7', 'c', cut), facts: { gateway: running } })).toEqual([])
  })
  it('a session that was just made may have no transcript yet', () => {
    const index = readIndexOf([
      entryFacts('agent:main:main', 'a'),
      entryFacts('x', 'b'),
      entryFacts('y', 'c', { usedAtMs: nowMs }),
    ])
    expect(codesOf({ agent: { index } })).toEqual([])
  })
  it('a transcript that was just written may have no entry yet', () => {
    expect(codesOf({ agent: withFile('c.jsonl', { mtimeMs: nowMs - 60_000 }) })).toEqual([])
  })
  it('what a migration has named is not left over', () => {
    const name = 'c.jsonl.deleted.2026-11-20T06-40-10.411Z'
    const agent = withFile(name, { mtimeMs: nowMs - 9 * dayMs })
    expect(codesOf({ agent })).toEqual(['LEFTOVERS'])
    expect(codesOf({ agent, facts: home({ receipts: [`${sessionsDir}/${name}`] }) })).toEqual([])
    expect(codesOf({ agent, facts: home({ receipts: [sessionsDir] }) })).toEqual([])
  })
})

describe('a session and its files', () => {
  it('an earlier part of a session belongs to it', () => {
    const agent = { files: [...healthy.files, fileOf('c.jsonl'), fileOf('d.jsonl')] }
    const parents = new Map([
      ['a.jsonl', 'c.jsonl'],
      ['c.jsonl', 'd.jsonl'],
    ])
    expect(look({ agent }, false, [['main', parents]])).toEqual([])
    expect(codesOf({ agent })).toEqual(['TRANSCRIPT_WITHOUT_ENTRY'])
  })
  it('a group is never called idle', () => {
    const old = { usedAtMs: nowMs - 99 * dayMs }
    expect(codesOf({ agent: withEntry('agent:main:telegram:group:-7', 'c', old) })).toEqual([])
    expect(codesOf({ agent: withEntry('agent:main:telegram:direct:7', 'c', { ...old, pinned: true }) })).toEqual([])
  })
  it('files are open only where the way to them is', () => {
    const agent = { files: [fileOf('a.jsonl', { mode: 0o666 }), fileOf('b.jsonl')] }
    expect(codesOf({ agent })).toEqual([])
    expect(codesOf({ agent, around: { ...opened(0o755), reachable: false } })).toEqual([])
  })
})
