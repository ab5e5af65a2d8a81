import { describe, expect, it } from 'vitest'
import {
  agentFacts,
  dayMs,
  entryFacts,
  fileOf,
  healthyFacts,
  hourMs,
  lockOf,
  nowMs,
  readIndexOf,
  sessionsDir,
} from '../../../../test/openclaw/facts.ts'
import { defaultHomePolicy, type HomePolicy } from '../../home/policy.ts'
import type { EntryFacts } from '../../index/facts.ts'
import type { AgentFacts, FileFacts, HomeFacts } from '../../survey/facts.ts'
import { type CleanInput, planClean } from './plan.ts'

const direct = 'agent:main:telegram:direct:1'
const run = 'agent:main:cron:j:run:r'

interface Scene {
  entries?: EntryFacts[]
  files?: FileFacts[]
  agent?: Partial<AgentFacts>
  facts?: Partial<HomeFacts>
  policy?: Partial<HomePolicy>
  input?: Partial<CleanInput>
}

function plan({ entries = [], files = [], agent = {}, facts = {}, policy = {}, input = {} }: Scene) {
  const healthy = healthyFacts(facts)
  // one that always stays, so that an index is never empty for want of another entry
  const stays = entryFacts('agent:main:main', 'today')
  const own = { index: readIndexOf([stays, ...entries]), files: [fileOf('today.jsonl'), ...files], ...agent }
  return planClean({
    facts: {
      ...healthy,
      home: { ...healthy.home, policy: { ...defaultHomePolicy, ...policy } },
      agents: [agentFacts(own)],
    },
    parents: new Map(),
    trustClock: false,
    throughGateway: false,
    ...input,
  })
}

/** What is done, in short: `drop-entry agent:main:…`, `archive-transcript a.jsonl`. */
function short(scene: Scene): string[] {
  return plan(scene).steps.map(
    ({ kind, path, key }) => `${kind} ${kind === 'drop-entry' ? key : path.split('/').at(-1)}`,
  )
}

const ago = (ms: number) => nowMs - ms
const old = (name: string, ageMs: number, more: Partial<FileFacts> = {}) =>
  fileOf(name, { mtimeMs: ago(ageMs), ...more })

/** A session that was used so long ago, with its transcript. */
const used = (key: string, id: string, ageMs: number, more: Partial<EntryFacts> = {}): Scene => ({
  entries: [entryFacts(key, id, { usedAtMs: ago(ageMs), ...more })],
  files: [old(`${id}.jsonl`, ageMs)],
})

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

function indexWith({ entries = [] }: Scene) {
  return readIndexOf([entryFacts('agent:main:main', 'today'), ...entries])
}

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

describe('files that no session needs', () => {
  it.each([
    ['x.jsonl', 5 * dayMs, 'archive-transcript'],
    ['x.jsonl.deleted.2026-11-01T10-11-12.345Z', dayMs, 'archive-leftover'],
    ['x.jsonl.reset.2026-11-01T10-11-12.345Z', dayMs, 'archive-leftover'],
    ['x.jsonl.bak', dayMs, 'archive-leftover'],
    ['x.jsonl.corrupt-2026-11-01T10-11-12-345Z-01234567.jsonl', dayMs, 'archive-leftover'],
    ['x.checkpoint.68998807-2fe8-4249-8cfb-ec5d6b2bbbb9.jsonl', dayMs, 'archive-leftover'],
    ['x.trajectory.jsonl', dayMs, 'archive-leftover'],
    ['x.trajectory-path.json', dayMs, 'archive-leftover'],
    ['x.acp-stream.jsonl', dayMs, 'archive-leftover'],
    ['sessions.json.corrupt-1777630272345', dayMs, 'archive-leftover'],
    ['x.jsonl.9f0e.tmp', 5 * 60_000, 'remove-temporary'],
    ['sessions.json.9f0e.tmp', 5 * 60_000, 'remove-temporary'],
  ])('%s goes after its time', (name, limitMs, kind) => {
    expect(short({ files: [old(name, limitMs)] })).toEqual([])
    expect(short({ files: [old(name, limitMs + 1)] })).toEqual([`${kind} ${name}`])
  })
  it.each([
    'sessions.json',
    'sessions.json.lock',
    'sessions.json.telegram-messages.json',
    'sessions.json.migrated',
    'x.jsonl.lock',
    'notes.txt',
    `${'a'.repeat(64)}.txt`,
    `${'a'.repeat(64)}.jsonl.zst`,
  ])('%s never goes', (name) => {
    const policy = { diskBudget: { maxBytes: 1, lowBytes: 1 } }
    expect(
      short({
        files: [old(name, 900 * dayMs)],
        policy,
      }),
    ).toEqual([])
  })
  it('a deletion counts from when it happened, not from the last word', () => {
    const name = `x.jsonl.deleted.${new Date(ago(hourMs)).toISOString().replaceAll(':', '-')}`
    expect(short({ files: [old(name, 90 * dayMs)] })).toEqual([])
  })
  it('what was said before a reset stays when a person wants it to', () => {
    const files = [old('x.jsonl.reset.2026-11-01T10-11-12.345Z', 20 * dayMs)]
    expect(short({ files, policy: { resetMs: null, diskBudget: { maxBytes: 3_000, lowBytes: 2_500 } } })).toEqual([])
  })
  it('traces and checkpoints stay as long as their session is used', () => {
    const name = 'today.trajectory.jsonl'
    expect(short({ files: [old(name, 3 * dayMs)] })).toEqual([])
  })
  it('of the copies of an index the newest stay, however old', () => {
    const files = [1, 2, 3, 4, 5].map((at) => old(`sessions.json.bak.${ago(at * dayMs)}`, at * dayMs + 1))
    expect(short({ files })).toEqual([4, 5].map((at) => `archive-leftover sessions.json.bak.${ago(at * dayMs)}`))
  })
  it('locked ones stay', () => {
    expect(
      short({ files: [old('x.jsonl', 9 * dayMs)], agent: { index: indexWith({}), locks: [lockOf('x', 'live')] } }),
    ).toEqual([])
    expect(
      short({ files: [old('x.jsonl', 9 * dayMs)], agent: { index: indexWith({}), locks: [lockOf('x', 'dead')] } }),
    ).toEqual(['archive-transcript x.jsonl', 'clear-lock x.jsonl.lock'])
  })
})

describe('an index that does not tell which transcripts are in use', () => {
  const files = [old('x.jsonl', 90 * dayMs), old('y.jsonl.bak', 90 * dayMs), old('x.trajectory.jsonl', 90 * dayMs)]
  it.each([
    [
      'is unreadable',
      { state: 'unreadable', because: 'it is empty (0 bytes)', bytes: 0, identity: null } as const,
      /cannot be read \(it is empty/,
    ],
    ['is not there', { state: 'absent' } as const, /There is no index over 1 transcript/],
    ['is empty', readIndexOf([]), /The index is empty over 1 transcript/],
  ])('%s: transcripts stay, leftovers go', (_, index, told) => {
    const policy = { diskBudget: { maxBytes: 1, lowBytes: 1 } }
    const found = plan({ agent: { index, files }, policy })
    expect(found.steps.map(({ path }) => path.split('/').at(-1))).toEqual(['y.jsonl.bak'])
    expect(found.notes[0]).toMatch(told)
  })
})

describe('the disk budget', () => {
  const mb = 1024 ** 2
  const sized = (key: string, id: string, ageMs: number): Scene => {
    const scene = used(key, id, ageMs, { bytes: 0 })
    return { ...scene, files: [old(`${id}.jsonl`, ageMs, { bytes: mb })] }
  }
  const both = (...scenes: Scene[]): Scene => ({
    entries: scenes.flatMap(({ entries = [] }) => entries),
    files: scenes.flatMap(({ files = [] }) => files),
  })
  const scene = both(
    sized(direct, 'people', 3 * dayMs),
    sized('agent:main:hook:x', 'errand', dayMs),
    { files: [old('loose.jsonl', 2 * hourMs, { bytes: mb })] },
    sized('agent:main:telegram:group:-1', 'group', 4 * dayMs),
  )
  const under = (maxMb: number, lowMb: number) => ({ diskBudget: { maxBytes: maxMb * mb, lowBytes: lowMb * mb } })
  it('asks for nothing below the high mark', () => expect(short({ ...scene, policy: under(5, 1) })).toEqual([]))
  it('takes what no session needs, then errands, then people, until the low mark is reached', () => {
    expect(short({ ...scene, policy: under(4, 3.1) })).toEqual(['archive-transcript loose.jsonl'])
    expect(short({ ...scene, policy: under(4, 2.1) })).toEqual([
      'drop-entry agent:main:hook:x',
      'archive-transcript errand.jsonl',
      'archive-transcript loose.jsonl',
    ])
    expect(short({ ...scene, policy: under(4, 1.1) })).toHaveLength(5)
  })
  it('says when it cannot be met', () => {
    const { steps, notes } = plan({ ...scene, policy: under(1, 0.5) })
    expect(steps.filter(({ key }) => key?.includes('group'))).toEqual([])
    expect(notes).toEqual([
      'The disk budget of agent main cannot be met: all files take 4.0 MB, the budget is 1.0 MB; what is left takes 1.0 MB and must stay.',
    ])
  })
})

describe('a large index', () => {
  const fields = [
    { field: 'systemPromptReport', entries: 9, bytes: 9_000_000, repeatedBytes: 0 },
    { field: 'skillsSnapshot', entries: 9, bytes: 1_000_000, repeatedBytes: 900_000 },
    { field: 'origin', entries: 9, bytes: 900_000, repeatedBytes: 0 },
  ]
  const indexOf = (bytes: number, weights = fields) =>
    readIndexOf([entryFacts(direct, 'today')], { bytes, fields: weights })
  it('is copied beside itself and loses what the gateway makes anew', () => {
    const { steps } = plan({ agent: { index: indexOf(11_000_000) } })
    expect(steps).toMatchObject([
      {
        kind: 'rotate-index',
        bytes: 10_000_000,
        act: { do: 'slim', fields: ['systemPromptReport', 'skillsSnapshot'] },
        left: null,
      },
    ])
    expect(steps[0]?.because).toBe(
      'it has 10.5 MB, the limit is 10.0 MB; 91 % is systemPromptReport and skillsSnapshot, which the gateway makes anew',
    )
  })
  it('stays at the limit, and where other things make it large', () => {
    expect(short({ agent: { index: indexOf(10 * 1024 ** 2) } })).toEqual([])
    expect(short({ agent: { index: indexOf(11_000_000, fields.slice(2)) } })).toEqual([])
  })
})

describe('what waits', () => {
  const files = [old('x.jsonl', 9 * dayMs)]
  const idle = used(direct, 'a', 9 * dayMs)
  const scene = { ...idle, files: [...files, ...(idle.files ?? [])] }
  const running = { state: 'running', pid: 7, sinceMs: null, proof: '', container: null } as const
  const leftOf = (more: Scene) =>
    plan({ ...scene, ...more }).steps.map(({ path, left }) => [path.split('/').at(-1), left])
  it('is nothing with the gateway down', () => {
    expect(leftOf({}).map(([, left]) => left)).toEqual([null, null, null])
  })
  it('is everything that the index has a part in, while a gateway lives or may live', () => {
    const because = 'the gateway runs (process 7); `holdfast prestart` does it before the next start'
    expect(leftOf({ facts: { gateway: running } })).toEqual([
      ['sessions.json', because],
      ['a.jsonl', because],
      ['x.jsonl', null],
    ])
    expect(leftOf({ facts: { gateway: { state: 'unknown', because: 'x' } } })[0]?.[1]).toContain('cannot be told')
  })
  it('is nothing when the gateway takes the entries out itself', () => {
    const input = { throughGateway: true }
    expect(leftOf({ facts: { gateway: running }, input }).map(([, left]) => left)).toEqual([null, null, null])
    expect(leftOf({ facts: { gateway: { state: 'unknown', because: 'x' } }, input })[0]?.[1]).toContain(
      'cannot be told',
    )
  })
  it('is all of a home that is on its way into a database, and a database is not for us', () => {
    const { home } = healthyFacts()
    const generation = (kind: 'mixed' | 'sqlite') => {
      const facts = healthyFacts({ home: { ...home, generation: kind } })
      const agents = [agentFacts({ index: indexWith(idle), files: scene.files })]
      return planClean({ facts: { ...facts, agents }, parents: new Map(), trustClock: false, throughGateway: false })
        .steps
    }
    expect(generation('mixed').map(({ left }) => left !== null)).toEqual([true, true, true])
    expect(generation('sqlite')).toEqual([])
  })
})

it('does nothing when the mode is off', () => {
  expect(short({ ...used(direct, 'a', 9 * dayMs), policy: { mode: 'off' } })).toEqual([])
})

describe('a clock that cannot be right', () => {
  const scene = used(direct, 'a', 9 * dayMs)
  const ahead = (ms: number) => ({ ...scene, files: [...(scene.files ?? []), old('x.jsonl', -ms)] })
  it('is told by a file from the future, and nothing is done', () => {
    const { steps, notes } = plan(ahead(10 * 60_000 + 1))
    expect(steps).toEqual([])
    expect(notes).toEqual([expect.stringMatching(/x\.jsonl was written 10m after now: the clock is not trusted/)])
  })
  it('is trusted when a person says so, and within minutes', () => {
    expect(plan({ ...ahead(dayMs), input: { trustClock: true } }).steps).toHaveLength(2)
    expect(plan(ahead(60_000)).steps).toHaveLength(2)
  })
})
