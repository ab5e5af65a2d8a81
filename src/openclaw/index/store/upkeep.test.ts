import { describe, expect, it } from 'vitest'
import { defaultHomePolicy, type HomePolicy } from '../../home/policy.ts'
import { readEntry } from '../entries/entry.ts'
import type { FieldWeight, IndexFacts } from '../facts.ts'
import { parseIndex, parseObject } from '../parse.ts'
import { planUpkeep, type Surroundings } from './upkeep.ts'

const nowMs = Date.parse('2026-11-26T12:00:00Z')
const dayMs = 24 * 3_600_000
const policy: HomePolicy = { ...defaultHomePolicy, mode: 'enforce' }
const agent = { id: 'main', sessionsDir: '/srv/oc/agents/main/sessions' }

interface Planned {
  key: string
  days: number
  id?: string
  entry?: object
}

function indexOf(sessions: Planned[], fields: FieldWeight[] = [], bytes?: number): IndexFacts {
  const text = Object.fromEntries(
    sessions.map(({ key, days, id = key.replaceAll(':', '.'), entry }) => [
      key,
      { sessionId: id, updatedAt: nowMs - days * dayMs, ...entry },
    ]),
  )
  const buffer = Buffer.from(JSON.stringify(text))
  const entries = parseIndex(buffer).members.map((member) => {
    const object = parseObject(buffer, member.valueStart, member.valueEnd)
    return readEntry(buffer, member, object, agent, new Set(), nowMs).facts
  })
  const identity = { dev: 0n, ino: 0n, bytes: 0n, mtimeNs: 0n, ctimeNs: 0n }
  return { state: 'read', bytes: bytes ?? buffer.length, identity, sha256: '', entries, fields, duplicates: [] }
}

/** Transcripts of all, written when their sessions were used. */
function around(sessions: Planned[], more: Partial<Surroundings> = {}): Surroundings {
  const transcripts = sessions.map(({ key, days, id = key.replaceAll(':', '.') }): [string, number] => [
    `${id}.jsonl`,
    nowMs - days * dayMs,
  ])
  return { transcripts: new Map(transcripts), busy: new Set(), backups: [], ...more }
}

const plan = (
  sessions: Planned[],
  { more = {}, rules = policy }: { more?: Partial<Surroundings>; rules?: HomePolicy } = {},
) => planUpkeep(indexOf(sessions), around(sessions, more), rules, nowMs)
const keysOf = (...args: Parameters<typeof plan>) => plan(...args).prune.map(({ key }) => key)
const direct = (days: number, more: Partial<Planned> = {}): Planned => ({
  key: `agent:main:x:direct:${days}`,
  days,
  ...more,
})

describe('what goes from an index', () => {
  it('is what was not used for longer than the limit, with its transcript and the reason', () => {
    expect(plan([direct(5.1), direct(4.9)]).prune).toEqual([
      {
        key: 'agent:main:x:direct:5.1',
        transcript: 'agent.main.x.direct.5.1.jsonl',
        because: 'last used 5d 2h ago; the limit is 5d',
      },
    ])
  })
  it('is a binding without a transcript only after the longer limit', () => {
    const more = { transcripts: new Map() }
    expect(keysOf([direct(29), direct(31)], { more })).toEqual(['agent:main:x:direct:31'])
  })
  it('is a run of a job after its own limit, or never', () => {
    const runs = [
      { key: 'agent:main:cron:j:run:1', days: 1.1 },
      { key: 'agent:main:cron:j:run:2', days: 0.9 },
    ]
    expect(keysOf(runs)).toEqual(['agent:main:cron:j:run:1'])
    expect(keysOf(runs, { rules: { ...policy, cronRunMs: null } })).toEqual([])
  })
  it('is nothing that a transcript shows to have been used since', () => {
    const session = direct(9)
    expect(
      keysOf([session], { more: { transcripts: new Map([['agent.main.x.direct.9.jsonl', nowMs - dayMs]]) } }),
    ).toEqual([])
  })
  it.each<[string, Planned]>([
    ['the main session', { key: 'agent:main:main', days: 99 }],
    ['a group', { key: 'agent:main:telegram:group:-1', days: 99 }],
    ['a thread', { key: 'agent:main:slack:channel:c1:thread:1.2', days: 99 }],
    ['one that only its chat type tells to be a group', direct(99, { entry: { chatType: 'group' } })],
    ['a pinned one', direct(99, { entry: { pinnedAt: 1 } })],
    ['one that waits for a delivery', direct(99, { entry: { pendingFinalDelivery: true } })],
    ['one that runs', direct(99, { entry: { status: 'running' } })],
    ['one whose age cannot be told', direct(99, { entry: { updatedAt: nowMs + dayMs } })],
    [
      'one whose transcript lies elsewhere',
      direct(99, { entry: { sessionFile: '/srv/oc/agents/shop/sessions/a.jsonl' } }),
    ],
  ])('is never %s', (_, session) => {
    const rules = { ...policy, entriesMax: 0 }
    const transcripts =
      session.entry !== undefined && 'updatedAt' in session.entry ? new Map() : around([session]).transcripts
    expect(keysOf([session], { rules, more: { transcripts } })).toEqual([])
  })
  it('is never what somebody is at work on', () => {
    for (const busy of ['agent:main:x:direct:99', 'agent.main.x.direct.99.jsonl'])
      expect(keysOf([direct(99)], { rules: { ...policy, entriesMax: 0 }, more: { busy: new Set([busy]) } })).toEqual([])
  })
  it('is never what was touched just now, even over the cap', () => {
    const rules = { ...policy, entriesMax: 0, recentMs: dayMs }
    expect(keysOf([direct(0.9), direct(1)], { rules })).toEqual(['agent:main:x:direct:1'])
  })
  it('is, over the cap, errands first and then those used longest ago, as few as need be', () => {
    const sessions = [
      direct(1),
      direct(3),
      direct(2),
      { key: 'agent:main:hook:1', days: 0.5 },
      { key: 'agent:main:main', days: 4 },
    ]
    const withCap = (entriesMax: number) => keysOf(sessions, { rules: { ...policy, entriesMax } })
    expect(withCap(5)).toEqual([])
    expect(withCap(4)).toEqual(['agent:main:hook:1'])
    expect(withCap(2)).toEqual(['agent:main:hook:1', 'agent:main:x:direct:3', 'agent:main:x:direct:2'])
    expect(withCap(0)).toHaveLength(4)
  })
  it('goes together where two keys have one transcript, or stays together', () => {
    const two = [direct(9, { id: 't' }), { key: 'agent:main:y:direct:1', days: 8, id: 't' }]
    expect(plan(two).prune.map(({ key, transcript }) => [key, transcript])).toEqual([
      ['agent:main:x:direct:9', 't.jsonl'],
      ['agent:main:y:direct:1', null],
    ])
    expect(keysOf([two[0] as Planned, { key: 'agent:main:main', days: 9, id: 't' }])).toEqual([])
  })
  it('is nothing where the policy is off, or the index cannot be read', () => {
    expect(keysOf([direct(99)], { rules: { ...policy, mode: 'off' } })).toEqual([])
    const unreadable: IndexFacts = { state: 'unreadable', because: 'torn', bytes: 1, identity: null }
    expect(planUpkeep(unreadable, around([]), policy, nowMs)).toEqual({ prune: [], rotate: null })
  })
})

describe('an index over its size', () => {
  const weight = (field: string, bytes: number): FieldWeight => ({ field, entries: 1, bytes, repeatedBytes: 0 })
  const rotate = (bytes: number, fields: FieldWeight[], backups: string[] = []) =>
    planUpkeep(indexOf([], fields, bytes), around([], { backups }), policy, nowMs).rotate
  const mb = 1024 ** 2

  it('loses what a gateway makes anew', () => {
    const fields = [weight('skillsSnapshot', 9 * mb), weight('origin', 2 * mb)]
    expect(rotate(11 * mb, fields)).toEqual({
      because: 'it has 11.0 MB, the limit is 10.0 MB',
      expired: [],
      fields: ['skillsSnapshot'],
    })
    expect(rotate(10 * mb, fields)).toBeNull()
  })
  it('is left alone where that would not make it much smaller', () => {
    expect(rotate(11 * mb, [weight('skillsSnapshot', mb), weight('origin', 10 * mb)])).toBeNull()
  })
  it('keeps as many copies as the policy says, the new one among them', () => {
    const backups = ['sessions.json.bak.30', 'sessions.json.bak.4', 'sessions.json.bak.100']
    expect(rotate(11 * mb, [weight('skillsSnapshot', 9 * mb)], backups)?.expired).toEqual(['sessions.json.bak.4'])
  })
})
