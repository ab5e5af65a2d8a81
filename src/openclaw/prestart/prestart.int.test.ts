import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../test/openclaw/build.ts'
import { cleanOutside, homeAt, homeTree, stopped, undoAll } from '../../../test/openclaw/clean/cleaning.ts'
import { people } from '../../../test/openclaw/crowd.ts'
import type { AgentPlan, BuiltHome, SessionPlan } from '../../../test/openclaw/plans.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'
import { systemClock } from '../../host/clock.ts'
import type { PolicyOverrides } from '../home/policy.ts'
import { type PrestartOutside, prestartHome } from './prestart.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const nobody = 4_194_999
const person = (at: number) => `agent:main:telegram:direct:${at}`

function home(ground: Ground, ...agents: AgentPlan[]): BuiltHome {
  return buildHome(join(ground.root, 'home'), { agents })
}

async function prestarted(
  dir: string,
  overrides: PolicyOverrides = {},
  more: Partial<PrestartOutside> & { limitMs?: number } = {},
) {
  const { limitMs = 20_000, ...outside } = more
  const found = await homeAt(dir, { mode: 'warn', ...overrides })
  return await prestartHome(found, { dryRun: false, timeLimitMs: limitMs }, { ...cleanOutside(), ...outside })
}

const entriesOf = (dir: string, agent = 'main'): Record<string, Record<string, unknown>> =>
  JSON.parse(readFileSync(join(dir, 'agents', agent, 'sessions', 'sessions.json'), 'utf8'))
const cut = (key: string, ageMs: number, more: Partial<SessionPlan> = {}): SessionPlan => ({
  key,
  ageMs,
  status: 'running',
  ...more,
})

describe('before a start', () => {
  it('66 interrupted sessions of three agents become five each, the latest of people', async () => {
    using ground = new Ground()
    const agents = ['main', 'work', 'home'].map((id, at) => ({
      id,
      sessions: people(22, { agentId: id, days: 1, seed: at + 1 }).map((each) => ({
        ...each,
        status: 'running' as const,
        entry: { abortedLastRun: true },
      })),
    }))
    const { dir, sessions } = home(ground, ...agents)
    const before = homeTree(dir)
    const { steps, notes } = await prestarted(dir)
    expect(steps.every(({ done, kind }) => done && kind === 'settle-entry')).toBe(true)
    expect(steps).toHaveLength(51)
    expect(notes).toHaveLength(3)
    for (const id of ['main', 'work', 'home']) {
      const left = Object.entries(entriesOf(dir, id)).filter(([, { status }]) => status === 'running')
      const latest = sessions
        .filter(({ agentId }) => agentId === id)
        .sort((a, b) => (a.plan.ageMs ?? 0) - (b.plan.ageMs ?? 0))
      expect(new Set(left.map(([key]) => key))).toEqual(new Set(latest.slice(0, 5).map(({ key }) => key)))
    }
    expect((await prestarted(dir)).steps).toEqual([])
    expect(await undoAll(dir)).toEqual([])
    expect(homeTree(dir)).toEqual(before)
  })

  it('a settled entry says so as a gateway would, and nothing else of it changes', async () => {
    using ground = new Ground()
    const { dir } = home(ground, {
      id: 'main',
      sessions: [
        cut(person(1), 2 * dayMs, { entry: { origin: { x: 1 }, pinnedNote: 'é' } }),
        cut('agent:main:subagent:x', 2 * dayMs, { entry: { abortedLastRun: true } }),
      ],
    })
    const before = entriesOf(dir)
    await prestarted(dir)
    const after = entriesOf(dir)
    expect(after[person(1)]).toEqual({
      ...before[person(1)],
      status: 'failed',
      abortedLastRun: true,
      endedAt: expect.any(Number),
    })
    expect(after['agent:main:subagent:x']).toMatchObject({ status: 'failed', abortedLastRun: false })
  })

  it('what a lock told stands in the entry before the lock goes', async () => {
    using ground = new Ground()
    const built = home(ground, {
      id: 'main',
      sessions: [cut(person(1), hourMs), cut(person(2), 2 * dayMs), { key: person(3) }],
      locks: [1, 2, 3].map((at) => ({ of: person(at), pid: nobody, ageMs: hourMs, startTicks: 1 })),
    })
    const { steps } = await prestarted(built.dir)
    expect(steps.every(({ done }) => done)).toBe(true)
    expect(readdirSync(built.sessionsDir('main')).filter((name) => name.endsWith('.lock'))).toEqual([])
    expect(entriesOf(built.dir)).toMatchObject({
      [person(1)]: { status: 'running', abortedLastRun: true },
      [person(2)]: { status: 'failed' },
      [person(3)]: { status: 'done', abortedLastRun: false },
    })
  })

  it('a lock stays when its message could not be kept', async () => {
    using ground = new Ground()
    const built = home(ground, {
      id: 'main',
      sessions: [cut(person(1), hourMs), { key: person(2) }],
      locks: [1, 2].map((at) => ({ of: person(at), pid: nobody, ageMs: hourMs, startTicks: 1 })),
    })
    const gatewayNow = async () => {
      appendFileSync(join(built.sessionsDir('main'), 'sessions.json'), '\n')
      return stopped
    }
    const { steps } = await prestarted(built.dir, {}, { gatewayNow })
    expect(steps.map(({ kind, done, left }) => [kind, done, left?.slice(0, 27)])).toEqual([
      ['mark-entry', false, 'the index has changed since'],
      ['clear-lock', false, 'the start would no longer k'],
      ['clear-lock', true, undefined],
    ])
    expect(existsSync(`${built.session(person(1)).path}.lock`)).toBe(true)
  })

  it('a torn transcript is mended when it is gone on with, and only then', async () => {
    using ground = new Ground()
    const built = home(ground, {
      id: 'main',
      sessions: [cut(person(1), hourMs, { turns: 3 }), cut(person(2), 2 * dayMs), { key: person(3) }],
    })
    const torn = [1, 2, 3].map((at) => built.session(person(at)).path)
    for (const path of torn) appendFileSync(path, '{"type":"message","id":"x","par')
    const { steps } = await prestarted(built.dir)
    expect(steps.map(({ kind, key, done }) => [kind, key, done])).toEqual([
      ['settle-entry', person(2), true],
      ['repair-transcript', person(1), true],
    ])
    const lines = readFileSync(torn[0] ?? '', 'utf8')
    expect(lines.endsWith('\n')).toBe(true)
    expect(
      lines
        .trimEnd()
        .split('\n')
        .every((line) => JSON.parse(line)),
    ).toBe(true)
    expect(readFileSync(torn[2] ?? '', 'utf8')).toMatch(/"par$/)
  })

  it.each([
    [
      'ended in an error',
      '{"type":"message","id":"e","parentId":null,"message":{"role":"assistant","content":[],"stopReason":"error"}}\n',
      /ended in an error/,
    ],
    [
      'three starts went on with',
      Array.from(
        { length: 3 },
        (_, at) =>
          `{"type":"message","id":"r${at}","parentId":null,"message":{"role":"user","content":"[Thu] [System] Your previous turn was interrupted by a gateway restart while OpenClaw was"}}\n`,
      ).join(''),
      /^3 starts went on with it/,
    ],
  ])('what %s is settled', async (_, text, because) => {
    using ground = new Ground()
    const built = home(ground, { id: 'main', sessions: [cut(person(1), hourMs)] })
    appendFileSync(built.session(person(1)).path, text)
    const { steps } = await prestarted(built.dir)
    expect(steps).toMatchObject([{ kind: 'settle-entry', done: true, because: expect.stringMatching(because) }])
  })

  it('an empty transcript is not gone on with; a message longer than what is read is', async () => {
    using ground = new Ground()
    const built = home(ground, { id: 'main', sessions: [cut(person(1), hourMs), cut(person(2), hourMs)] })
    truncateSync(built.session(person(1)).path, 0)
    const long = JSON.stringify({
      type: 'message',
      id: 'l',
      parentId: null,
      message: { role: 'user', content: 'x'.repeat(400_000) },
    })
    appendFileSync(built.session(person(2)).path, `${long}\n`)
    const { steps } = await prestarted(built.dir)
    expect(steps.map(({ key, because }) => [key, because])).toEqual([[person(1), 'its transcript holds no message']])
  })

  it('an index that cannot be read is made anew from its copies', async () => {
    using ground = new Ground()
    const built = home(ground, { id: 'main', sessions: [{ key: person(1) }, { key: person(2) }] })
    const index = join(built.sessionsDir('main'), 'sessions.json')
    writeFileSync(join(built.sessionsDir('main'), 'sessions.json.bak.1777630272345'), readFileSync(index))
    truncateSync(index, 0)
    const { steps } = await prestarted(built.dir)
    expect(steps).toMatchObject([{ kind: 'rebuild-index', done: true }])
    expect(Object.keys(entriesOf(built.dir))).toEqual([person(1), person(2)])
  })

  it('expired threads are let go, and the secrets of the others stay where they are', async () => {
    using ground = new Ground()
    const built = home(ground, { id: 'main', sessions: [{ key: person(1) }] })
    const path = join(built.dir, 'discord/thread-bindings.json')
    mkdirSync(dirname(path))
    const thread = (key: string, more: object = {}) => ({
      threadId: 't',
      targetSessionKey: key,
      webhookToken: 'secret',
      boundAt: Date.now(),
      ...more,
    })
    const bindings = {
      'default:1': thread(person(1)),
      'default:2': thread(person(9)),
      'default:3': thread(person(1), { maxAgeMs: 1, boundAt: 5 }),
    }
    writeFileSync(path, JSON.stringify({ version: 1, bindings }), { mode: 0o600 })
    const before = homeTree(built.dir)
    const { steps } = await prestarted(built.dir)
    expect(steps.map(({ kind, key, done }) => [kind, key, done])).toEqual([
      ['drop-binding', person(9), true],
      ['drop-binding', person(1), true],
    ])
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      version: 1,
      bindings: { 'default:1': bindings['default:1'] },
    })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(JSON.stringify(steps)).not.toContain('secret')
    expect(await undoAll(built.dir)).toEqual([])
    expect(homeTree(built.dir)).toEqual(before)
  })

  it('what cleaning has left goes from the index, in a home that is cleaned', async () => {
    using ground = new Ground()
    const built = home(ground, {
      id: 'main',
      sessions: [{ key: 'agent:main:main' }, { key: person(1), ageMs: 9 * dayMs }],
    })
    expect((await prestarted(built.dir)).steps).toEqual([])
    const { steps } = await prestarted(built.dir, { mode: 'enforce' })
    expect(steps).toMatchObject([{ kind: 'drop-entry', key: person(1), done: true }])
    expect(Object.keys(entriesOf(built.dir))).toEqual(['agent:main:main'])
    expect(existsSync(built.session(person(1)).path)).toBe(true)
  })

  it('nothing is touched while a gateway runs', async () => {
    using ground = new Ground()
    const built = home(ground, {
      id: 'main',
      sessions: [cut(person(1), 2 * dayMs)],
      locks: [{ of: person(1), pid: nobody, ageMs: hourMs, startTicks: 1 }],
    })
    const before = homeTree(built.dir)
    const gatewayNow = async () => ({ state: 'running', pid: 7, sinceMs: 0, proof: '', container: null }) as const
    const { steps } = await prestarted(built.dir, {}, { gatewayNow })
    expect(steps[0]).toMatchObject({ kind: 'settle-entry', left: 'a gateway has started meanwhile' })
    expect(entriesOf(built.dir)[person(1)]?.status).toBe('running')
    expect(Object.keys(homeTree(built.dir)).filter((name) => !(name in before))).toEqual([])
  })

  it('what is not begun when the time is over is left', async () => {
    using ground = new Ground()
    const { dir } = home(ground, { id: 'main', sessions: [cut(person(1), 2 * dayMs)] })
    let reads = 0
    const clock = { ...systemClock, steadyMs: () => (reads++ < 1 ? 0 : 60_000) }
    const { steps, manifest } = await prestarted(dir, {}, { clock, limitMs: 1_000 })
    expect(steps).toMatchObject([{ done: false, left: 'the time for it is over' }])
    expect([manifest, entriesOf(dir)[person(1)]?.status]).toEqual([null, 'running'])
  })
})
