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
} from '../../../test/openclaw/facts.ts'
import { planClean } from '../clean/plan/plan.ts'
import type { CleanPlan } from '../clean/steps.ts'
import { defaultHomePolicy, type HomePolicy } from '../home/policy.ts'
import type { EntryFacts } from '../index/facts.ts'
import type { JudgedLock } from '../locks/verdict.ts'
import { type BoundFile, boundThreads, withoutThreads } from '../survey/bindings.ts'
import type { HomeFacts } from '../survey/facts.ts'
import { candidatesOf, tailsWanted } from './candidates.ts'
import { planPrestart } from './plan.ts'
import type { Tail } from './steps.ts'

const person = (at: number | string) => `agent:main:telegram:direct:${at}`
const good: Tail = { state: 'read', lastRole: 'user', failed: false, attempts: 0, torn: false }

interface Scene {
  entries: EntryFacts[]
  locks?: JudgedLock[]
  policy?: Partial<HomePolicy>
  facts?: Partial<HomeFacts>
  /** By session id; `good` where none is named. */
  tails?: Record<string, Tail>
  clean?: CleanPlan
  bindings?: BoundFile[]
}

function factsOf({ entries, locks = [], policy = {}, facts = {} }: Scene): HomeFacts {
  const healthy = healthyFacts(facts)
  const files = entries.map(({ transcript, usedAtMs }) => fileOf(transcript ?? '', { mtimeMs: usedAtMs }))
  const agents = [agentFacts({ index: readIndexOf(entries), files, locks })]
  return { ...healthy, home: { ...healthy.home, policy: { ...defaultHomePolicy, ...policy } }, agents }
}

function plan(scene: Scene) {
  const facts = factsOf(scene)
  const wanted = candidatesOf(facts).flatMap((some) => tailsWanted(some, facts))
  const tails = new Map(
    wanted.map((path) => [path, scene.tails?.[path.split('/').at(-1)?.replace('.jsonl', '') ?? ''] ?? good]),
  )
  return planPrestart({ facts, tails, bindings: scene.bindings ?? [], clean: scene.clean ?? { steps: [], notes: [] } })
}

const short = (scene: Scene) =>
  plan(scene).steps.map(({ kind, key, path }) => `${kind} ${key ?? path.split('/').at(-1)}`)
const cut = (at: number | string, ageMs = hourMs, more: Partial<EntryFacts> = {}) =>
  entryFacts(typeof at === 'number' ? person(at) : at, `s${at}`.replaceAll(':', ''), {
    status: 'running',
    usedAtMs: nowMs - ageMs,
    ...more,
  })

describe('what a start would go on with', () => {
  it('stays when it is recent and within the number', () => {
    expect(short({ entries: [cut(1), cut(2, 2 * hourMs)] })).toEqual([])
    expect(plan({ entries: [cut(1), cut(2)] }).notes).toEqual(['The start goes on with 2 sessions of agent main.'])
  })
  it('is settled a millisecond after its time, with the reason', () => {
    expect(short({ entries: [cut(1, dayMs)] })).toEqual([])
    const { steps } = plan({ entries: [cut(1, dayMs + 1)] })
    expect(steps).toMatchObject([{ kind: 'settle-entry', key: person(1), act: { do: 'settle', isChild: false } }])
    expect(steps[0]?.because).toBe('cut off 1d ago; the limit is 1d')
  })
  it('is not asked of what has ended, nor of what no start goes on with', () => {
    const ended = entryFacts(person(1), 'a', { usedAtMs: nowMs - 9 * dayMs })
    const cron = cut('agent:main:cron:j:run:r', 9 * dayMs)
    const acp = cut('agent:main:acp:x', 9 * dayMs)
    const child = cut('agent:main:subagent:x', 9 * dayMs, { status: 'done' })
    expect(short({ entries: [ended, cron, acp, child] })).toEqual([])
  })
  it('are the latest of people; errands and the others are settled', () => {
    const entries = [
      cut('agent:main:hook:x', 60_000),
      cut(1, 3 * hourMs),
      cut(2, hourMs),
      cut(3, 2 * hourMs),
      cut('agent:main:subagent:x', 60_000, { abortedLastRun: true }),
    ]
    expect(short({ entries, policy: { resumesMax: 2 } })).toEqual([
      `settle-entry ${person(1)}`,
      'settle-entry agent:main:hook:x',
      'settle-entry agent:main:subagent:x',
    ])
    const child = plan({ entries, policy: { resumesMax: 2 } }).steps.at(-1)
    expect(child?.act).toEqual({ do: 'settle', isChild: true })
  })
  it('is first what has an answer that waits to be delivered', () => {
    const entries = [cut(1, hourMs), cut(2, 5 * hourMs, { pending: true })]
    expect(short({ entries, policy: { resumesMax: 1 } })).toEqual([`settle-entry ${person(1)}`])
  })
  it('may be none at all', () => expect(short({ entries: [cut(1)], policy: { resumesMax: 0 } })).toHaveLength(1))
  it.each<[string, Tail, RegExp]>([
    ['has ended in an error', { ...good, lastRole: 'assistant', failed: true }, /ended in an error/],
    ['three starts went on with', { ...good, attempts: 3 }, /^3 starts went on with it and got no answer$/],
    ['has no message', { ...good, lastRole: null }, /holds no message/],
    ['cannot be read', { state: 'unreadable', because: 'no access' }, /cannot be read: no access/],
    ['has gone', { state: 'missing' }, /not there/],
  ])('is not what %s; the next one moves up', (_, tail, because) => {
    const { steps } = plan({
      entries: [cut(1, hourMs), cut(2, 2 * hourMs)],
      tails: { s1: tail },
      policy: { resumesMax: 1 },
    })
    expect(steps).toMatchObject([{ key: person(1), because: expect.stringMatching(because) }])
  })
  it('is what was tried twice', () => {
    expect(short({ entries: [cut(1)], tails: { s1: { ...good, attempts: 2 } } })).toEqual([])
  })
  it('is left to the gateway where an answer is there already: it tells its sender', () => {
    expect(short({ entries: [cut(1)], tails: { s1: { ...good, lastRole: 'assistant' } } })).toEqual([])
  })
  it('is not one whose time nothing tells', () => {
    const { steps } = plan({ entries: [cut(1, 0, { usedAtMs: 0 })] })
    expect(steps[0]?.because).toMatch(/^cut off nobody knows when/)
  })
  it('looks at the end of a bounded number of transcripts', () => {
    const facts = factsOf({ entries: Array.from({ length: 500 }, (_, at) => cut(at)), policy: { resumesMax: 3 } })
    expect(candidatesOf(facts).flatMap((some) => tailsWanted(some, facts))).toHaveLength(12)
  })
})

describe('a lock that nobody holds', () => {
  it('goes', () => {
    const locks = (['dead', 'recycled', 'malformed'] as const).map((verdict) => lockOf(`s${verdict}`, verdict))
    expect(short({ entries: [], locks })).toEqual(locks.map(({ path }) => `clear-lock ${path.split('/').at(-1)}`))
  })
  it('leaves its message in the entry of what is gone on with, before it goes', () => {
    expect(short({ entries: [cut(1)], locks: [lockOf('s1', 'dead')] })).toEqual([
      `mark-entry ${person(1)}`,
      'clear-lock s1.jsonl.lock',
    ])
    expect(short({ entries: [cut(1, hourMs, { abortedLastRun: true })], locks: [lockOf('s1', 'dead')] })).toHaveLength(
      1,
    )
    expect(short({ entries: [cut(1, 2 * dayMs)], locks: [lockOf('s1', 'dead')] })).toEqual([
      `settle-entry ${person(1)}`,
      'clear-lock s1.jsonl.lock',
    ])
  })
  it.each(['live', 'unknown'] as const)('is not one that is %s', (verdict) => {
    expect(short({ entries: [cut(1)], locks: [lockOf('s1', verdict)] })).toEqual([])
  })
})

it('mends what is gone on with and torn, and nothing else', () => {
  const tails = { s1: { ...good, torn: true }, s2: { ...good, torn: true } }
  expect(short({ entries: [cut(1), cut(2, 2 * hourMs)], tails, policy: { resumesMax: 1 } })).toEqual([
    `settle-entry ${person(2)}`,
    `repair-transcript ${person(1)}`,
  ])
})

it('makes an index that cannot be read anew', () => {
  const facts = healthyFacts()
  const index = { state: 'unreadable', because: 'it is empty (0 bytes)', bytes: 0, identity: null } as const
  const { steps } = planPrestart({
    facts: { ...facts, agents: [agentFacts({ index, locks: [lockOf('a', 'dead')] })] },
    tails: new Map(),
    bindings: [],
    clean: { steps: [], notes: [] },
  })
  expect(steps.map(({ kind, because }) => [kind, because])).toEqual([
    ['rebuild-index', 'it is empty (0 bytes)'],
    ['clear-lock', 'no process has this id'],
  ])
})

it('does of cleaning what only the index has to do with, and does not settle what it drops', () => {
  const old = cut(1, 9 * dayMs)
  const facts = factsOf({ entries: [old, cut(2)] })
  const clean = planClean({ facts, parents: new Map(), trustClock: false, throughGateway: false })
  expect(clean.steps.map(({ kind }) => kind)).toEqual(['drop-entry', 'archive-transcript'])
  expect(short({ entries: [old, cut(2)], clean })).toEqual([`drop-entry ${person(1)}`])
})

describe('what is done', () => {
  it.each<[string, Partial<HomeFacts>, RegExp]>([
    [
      'a gateway runs',
      { gateway: { state: 'running', pid: 7, sinceMs: nowMs, proof: '', container: null } },
      /runs already \(process 7\)/,
    ],
    ['it cannot be told', { gateway: { state: 'unknown', because: 'no access' } }, /cannot be told .*no access/],
    ['a move to a database goes on', { home: { ...healthyFacts().home, generation: 'mixed' } }, /in a database/],
  ])('is nothing while %s', (_, facts, left) => {
    const sinceMs = nowMs - hourMs
    const { steps } = plan({ entries: [cut(1, 2 * dayMs)], locks: [lockOf('s1', 'dead')], facts: { ...facts } })
    const waits = steps.length === 0 ? [] : steps.map((step) => step.left)
    expect(sinceMs).toBeLessThan(nowMs)
    for (const each of waits) expect(each).toMatch(left)
    expect(waits.length).toBeGreaterThan(0)
  })
  it('is nothing in a home that is a database', () => {
    expect(
      short({ entries: [cut(1, 2 * dayMs)], facts: { home: { ...healthyFacts().home, generation: 'sqlite' } } }),
    ).toEqual([])
  })
})

describe('threads that are bound to sessions', () => {
  const at = (ageMs: number) => nowMs - ageMs
  const thread = (place: number, targetSessionKey: string, more: object = {}) => {
    return [
      `default:${place}`,
      { threadId: `${place}`, targetSessionKey, webhookToken: 'secret', boundAt: at(40 * dayMs), ...more },
    ] as const
  }
  const discord = JSON.stringify({
    version: 1,
    bindings: Object.fromEntries([
      thread(1, person(1), { lastActivityAt: at(hourMs) }),
      thread(2, person('gone'), { lastActivityAt: at(hourMs) }),
      thread(3, person(1), { lastActivityAt: at(2 * hourMs), idleTimeoutMs: 2 * hourMs }),
      thread(4, person(1), { lastActivityAt: at(hourMs), idleTimeoutMs: 0, maxAgeMs: 40 * dayMs }),
      thread(5, person(1), { lastActivityAt: at(31 * dayMs) }),
      thread(6, person(1), { lastActivityAt: at(31 * dayMs), idleTimeoutMs: 0 }),
      thread(7, 'agent:other:subagent:x', { lastActivityAt: at(hourMs) }),
      thread(8, person(1).toUpperCase(), { lastActivityAt: at(hourMs) }),
    ]),
  })
  const fileWith = (text: string): BoundFile => ({
    judged: { path: '/home/bot/.openclaw/discord/thread-bindings.json', identity: {} as never, sha256: 'x' },
    bindings: boundThreads(text) ?? [],
  })
  const scene = { entries: [entryFacts(person(1), 's1')] }
  it('are let go when they have expired, are unused, or lead nowhere', () => {
    const { steps } = plan({ ...scene, bindings: [fileWith(discord)] })
    expect(steps.map(({ because }) => because)).toEqual([
      'it leads to a session that is not in the index',
      'unused for 2h; it expires after 2h',
      'bound 40d ago; it expires after 40d',
      'unused for 31d; the limit is 30d',
    ])
    expect(steps[0]?.act).toMatchObject({ do: 'unbind', places: ['default:2', 'default:3', 'default:4', 'default:5'] })
    expect(JSON.stringify(steps)).not.toContain('secret')
  })
  it('are written back without them, all else kept', () => {
    const left = JSON.parse(withoutThreads(discord, ['default:2', 'default:5']))
    expect(Object.keys(left.bindings)).toEqual([1, 3, 4, 6, 7, 8].map((each) => `default:${each}`))
    expect(left.bindings['default:1']).toEqual(JSON.parse(discord).bindings['default:1'])
    const list = JSON.stringify({ version: 1, bindings: [{ a: 1 }, { a: 2 }, { a: 3 }], more: true })
    expect(JSON.parse(withoutThreads(list, ['1']))).toEqual({ version: 1, bindings: [{ a: 1 }, { a: 3 }], more: true })
  })
  it('are not judged by an index that does not tell', () => {
    const index = { state: 'unreadable', because: '', bytes: 0, identity: null } as const
    const facts = { ...healthyFacts(), agents: [agentFacts({ index })] }
    const { steps } = planPrestart({
      facts,
      tails: new Map(),
      bindings: [fileWith(discord)],
      clean: { steps: [], notes: [] },
    })
    expect(steps.filter(({ because }) => because.includes('not in the index'))).toEqual([])
  })
  it.each(['', '[]', '{"version":2,"bindings":{}}', '{"version":1}', '{"version":1,"bindings":3}'])(
    'are none in %j',
    (text) => {
      expect(boundThreads(text)).toBe(null)
    },
  )
})
