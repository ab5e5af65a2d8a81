import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kindOfName } from '../../src/openclaw/home/names.ts'
import { buildHome } from './build.ts'
import { cronRuns, crowdedAgent, people } from './crowd.ts'
import type { HomePlan } from './plans.ts'
import { expectedOf, fixtureVersions, Ground, unpackFixture } from './unpack.ts'

const nowMs = Date.UTC(2026, 10, 26)
const dayMs = 86_400_000

const full: HomePlan = {
  nowMs,
  agents: [
    {
      id: 'main',
      sessions: [
        { key: 'agent:main:main', turns: 3, status: 'running' },
        { key: 'agent:main:telegram:group:-1:topic:7', topic: 'a b/7', bytes: 100_000, doubled: true },
        { key: 'agent:main:whatsapp:direct:1', transcript: false, snapshotBytes: 5_000, reportBytes: 5_000 },
        { key: 'agent:main:whatsapp:direct:2', bound: false, ageMs: 40 * dayMs, status: null },
        ...cronRuns(3),
      ],
      leftovers: (
        ['deleted', 'reset', 'backup', 'checkpoint', 'trajectory', 'corrupt', 'temporary', 'index-temporary'] as const
      ).map((kind) => ({ kind, ageMs: dayMs })),
      locks: [
        { of: 'agent:main:main', pid: 4711, ageMs: 60_000, startTicks: 99, maxHoldMs: 300_000 },
        { of: 'index', pid: 1, ageMs: 0, text: '{}' },
      ],
    },
    { id: 'work', sessions: people(5, { agentId: 'work' }), leftovers: [{ kind: 'prompt', ageMs: 0 }] },
  ],
}

describe('a home that is built for a test', () => {
  it('is the same for the same plan, seed and time', () => {
    using ground = new Ground()
    const dirs = [join(ground.root, 'x'), join(ground.root, 'y')].map((dir) => {
      buildHome(join(dir, 'home'), full)
      return sumOf(dir).replaceAll(dir, '')
    })
    expect(dirs[0]).toBe(dirs[1])
    buildHome(join(ground.root, 'z', 'home'), { ...full, seed: 2 })
    expect(sumOf(join(ground.root, 'z'))).not.toBe(dirs[0])
  })

  it('has files whose names say what they were made as', () => {
    using ground = new Ground()
    const home = buildHome(join(ground.root, 'home'), full)
    const kinds = full.agents[0]?.leftovers?.map(({ kind }) => kind)
    const found = home.leftovers.slice(0, -1).map((path) => kindOfName(path.split('/').at(-1) ?? '').kind)
    expect(found).toEqual(kinds)
    expect(home.locks.map((path) => kindOfName(path.split('/').at(-1) ?? '').kind)).toEqual(['lock', 'index-lock'])
    const group = home.session('agent:main:telegram:group:-1:topic:7')
    expect(group.path).toMatch(/-topic-a%20b%2F7\.jsonl$/)
    expect(kindOfName(group.path.split('/').at(-1) ?? '').sessionId).toBe(group.sessionId)
    expect(statSync(group.path).size).toBeGreaterThan(100_000)
  })

  it('has transcripts in which each line names the one before it', () => {
    using ground = new Ground()
    const home = buildHome(join(ground.root, 'home'), full)
    for (const { path, sessionId, plan } of home.sessions) {
      if (plan.transcript === false) continue
      const [header, ...entries] = linesOf(path)
      expect(header).toMatchObject({ type: 'session', version: 3, id: sessionId })
      expect(entries.map(({ parentId }) => parentId)).toEqual([null, ...entries.map(({ id }) => id).slice(0, -1)])
      expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length)
    }
    const main = linesOf(home.session('agent:main:main').path)
    expect(main.at(-1)).toMatchObject({ message: { role: 'user' } })
  })

  it('has an index with an entry for each session that is bound', () => {
    using ground = new Ground()
    const home = buildHome(join(ground.root, 'home'), full)
    const index = JSON.parse(readFileSync(join(home.sessionsDir('main'), 'sessions.json'), 'utf8'))
    const bound = home.sessions.filter(({ agentId, plan }) => agentId === 'main' && plan.bound !== false)
    expect(Object.keys(index)).toEqual(bound.map(({ key }) => key))
    expect(JSON.stringify(index['agent:main:whatsapp:direct:1'].skillsSnapshot).length).toBeGreaterThan(4_900)
  })

  it('can be large', () => {
    using ground = new Ground()
    const home = buildHome(join(ground.root, 'home'), { nowMs, agents: [crowdedAgent(2_000)] })
    expect(readdirSync(home.sessionsDir('main'))).toHaveLength(2_000)
  })
})

describe.each(fixtureVersions)('the home that %s wrote', (version) => {
  it('is unpacked with its times, at its own place', () => {
    using ground = new Ground()
    const { user, dir } = unpackFixture(version, ground.root)
    expect(existsSync(join(dir, 'openclaw.json'))).toBe(true)
    expect(statSync(join(dir, 'openclaw.json')).mtime.getUTCFullYear()).toBe(2026)
    const config = readFileSync(join(dir, 'openclaw.json'), 'utf8')
    expect(config).toContain(`${user}/.openclaw/workspace`)
    expect(config).not.toContain('/home/bot')
  })
  it('can be left as a copy of another machine', () => {
    using ground = new Ground()
    const { dir } = unpackFixture(version, ground.root, { moved: false })
    expect(readFileSync(join(dir, 'openclaw.json'), 'utf8')).toContain('/home/bot/.openclaw/workspace')
  })
  it('comes with what a reader should see', () => {
    const expected = expectedOf(version)
    expect(expected['agent:main:telegram:direct:40382952']).toHaveLength(2)
  })
})

function sumOf(dir: string): string {
  const names = execFileSync('find', ['.', '-type', 'f', '-printf', '%P %m %T@\n'], { cwd: dir, encoding: 'utf8' })
  const files = names.trim().split('\n').sort()
  return files
    .map((each) => {
      const text = readFileSync(join(dir, each.split(' ')[0] ?? ''), 'utf8').replaceAll(dir, '')
      return `${each} ${createHash('sha256').update(text).digest('hex')}`
    })
    .join('\n')
}

function linesOf(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text))
}
