import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, readdirSync, rmSync, statfsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { normalise } from '../../cli/normalise.ts'
import { holdfast } from '../../cli/program.ts'
import { buildHome } from '../build.ts'
import { cronRuns, people } from '../crowd.ts'
import { startTitled } from '../holders.ts'
import type { BuiltHome, HomePlan } from '../plans.ts'
import { Ground } from '../unpack.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const nobody = 4_194_999

let ground: Ground
beforeEach(() => {
  ground = new Ground()
})
afterEach(() => ground[Symbol.dispose]())

const home = (plan: HomePlan, dir = join(ground.root, 'home')): BuiltHome => buildHome(dir, plan)

/** Other tests run programs that look like gateways and end while they are looked at: then it is asked again. */
async function seen(line: string, isOurs = false): Promise<string> {
  const user = join(ground.root, 'user')
  mkdirSync(user, { recursive: true })
  for (let tries = 1; ; tries += 1) {
    const { code, stdout, stderr } = await holdfast(line.split(' '), {
      cwd: ground.root,
      env: { HOME: user, PATH: '' },
    })
    if (!isOurs && /\bgateway .*(?:cannot be told|runs for)/.test(stdout) && tries < 10) continue
    return [`$ holdfast ${line}\n`, stdout, stderr.replace(/^(?=.)/gm, '! '), code === 0 ? '' : `exit ${code}\n`].join(
      '',
    )
  }
}

async function expectGolden(scenario: string, texts: readonly string[]): Promise<void> {
  const text = normalise(texts.join('\n'), { ground: ground.root })
    .replace(/none of \d+ processes/g, 'none of <n> processes')
    .replace(/process \d+/g, 'process <pid>')
    .replace(/\d{8}T\d{6}Z-(\w+)-[0-9a-f]{8}/g, '<run of $1>')
    .replace(/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z/g, '<time>')
    .replace(/runs for <duration>/g, 'runs for <time>')
  await expect(text).toMatchFileSnapshot(new URL(`../../cli/golden/${scenario}.txt`, import.meta.url).pathname)
}

describe('cleaning, as people see it', () => {
  it('of 100 sessions over six days old, an 8.7 MB thread and 18 deleted transcripts', async () => {
    const old = people(100, { days: 24 }).map((each, at) => ({ ...each, ageMs: (6 + (at % 18)) * dayMs }))
    const thread = { key: 'agent:main:slack:channel:c1:thread:1712345678.000100', bytes: 8.7 * 1024 ** 2, topic: '1' }
    const leftovers = Array.from({ length: 18 }, (_, at) => ({ kind: 'deleted' as const, ageMs: (2 + at) * dayMs }))
    home({ agents: [{ id: 'main', sessions: [...old, thread], leftovers }] })
    await expectGolden('clean-three-tiers', [
      await seen('clean --home home'),
      await seen('clean --home home --mode enforce --dry-run'),
      await seen('clean --home home --mode enforce'),
      await seen('clean --home home --mode enforce'),
    ])
  })

  it('while the gateway runs, and before its next start', async () => {
    const { dir } = home({
      config: { session: { maintenance: { mode: 'enforce', pruneAfter: '7d' } }, cron: { sessionRetention: '36h' } },
      agents: [
        {
          id: 'main',
          sessions: [
            { key: 'agent:main:main' },
            { key: 'agent:main:telegram:direct:1', ageMs: 8 * dayMs },
            ...cronRuns(40),
          ],
          leftovers: [{ kind: 'temporary', ageMs: hourMs }],
        },
      ],
    })
    const texts: string[] = []
    {
      await using _ = await startTitled(dir)
      texts.push(await seen('clean --home home', true), await seen('prestart --home home', true))
    }
    await expectGolden('clean-beside-gateway', [
      ...texts,
      await seen('prestart --home home'),
      await seen('clean --home home'),
    ])
  })

  it('as JSON, with what is left and why', async () => {
    home({
      agents: [
        {
          id: 'main',
          sessions: [
            { key: 'agent:main:telegram:direct:1', ageMs: 8 * dayMs },
            { key: 'agent:main:telegram:direct:2', ageMs: hourMs },
          ],
        },
      ],
    })
    await expectGolden('clean-json', [
      await seen('clean --home home --json'),
      await seen('clean --home home --mode enforce --json'),
      await seen('clean --home nowhere --json'),
    ])
  })

  it('of a home with rules that cannot be met, followed or trusted', async () => {
    home({
      agents: [{ id: 'main', sessions: people(8, { days: 2 }).filter(({ key }) => /group|channel|thread/.test(key)) }],
    })
    const sessions = [{ key: 'agent:main:telegram:direct:1', ageMs: 8 * dayMs }]
    home(
      { config: { session: { maintenance: { maxEntries: 'many' } } }, agents: [{ id: 'main', sessions }] },
      join(ground.root, 'odd'),
    )
    const ahead = home({ agents: [{ id: 'main', sessions }] }, join(ground.root, 'ahead'))
    const later = new Date(Date.now() + 3 * dayMs + 60_000)
    utimesSync(ahead.session('agent:main:telegram:direct:1').path, later, later)
    home({ agents: [{ id: 'main', sessions, index: '' }] }, join(ground.root, 'torn'))
    await expectGolden('clean-limits', [
      await seen('clean --home home --max-entries 2 --budget 1kb'),
      await seen('clean --home odd --mode enforce'),
      await seen('clean --home ahead --mode enforce'),
      await seen('clean --home torn --mode enforce'),
    ])
  })

  it.runIf(process.getuid?.() === 0)('on a disk that has no room for one of the copies (root only)', async () => {
    const disk = join(ground.root, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk])
    try {
      const sessions = [1, 2, 3].map((at) => ({ key: `agent:main:telegram:direct:${at}`, ageMs: (at + 6) * dayMs }))
      const built = home(
        { agents: [{ id: 'main', sessions: [{ key: 'agent:main:main' }, ...sessions] }] },
        join(disk, 'home'),
      )
      const large = built.session('agent:main:telegram:direct:2').path
      appendFileSync(large, `${randomBytes(1_500_000).toString('base64')}\n`)
      const then = (Date.now() - 8 * dayMs) / 1_000
      utimesSync(large, then, then)
      const { bavail, bsize } = statfsSync(disk)
      const ballast = join(disk, 'ballast')
      writeFileSync(ballast, randomBytes(bavail * bsize - 900_000))
      const first = await seen('clean --home disk/home --mode enforce')
      rmSync(ballast)
      await expectGolden('clean-no-room', [first, await seen('clean --home disk/home --mode enforce')])
      expect(readdirSync(built.sessionsDir('main')).filter((name) => name.endsWith('.jsonl'))).toHaveLength(1)
    } finally {
      execFileSync('umount', [disk])
    }
  })
})

describe('what is put right before a start, as people see it', () => {
  it('of 66 interrupted sessions of three agents', async () => {
    const agents = ['main', 'work', 'home'].map((id, at) => ({
      id,
      sessions: people(22, { agentId: id, days: at === 2 ? 9 : 1, seed: at + 1 }).map((each) => {
        return {
          ...each,
          ageMs: Math.ceil((each.ageMs ?? 0) / hourMs) * hourMs - 60_000,
          status: 'running' as const,
          entry: { abortedLastRun: true },
        }
      }),
    }))
    home({ agents })
    await expectGolden('prestart-resumes', [
      await seen('prestart --home home --dry-run'),
      await seen('prestart --home home'),
      await seen('prestart --home home --json'),
    ])
  })

  it('of locks, a torn transcript and an index that cannot be read; and never a failure of its own', async () => {
    const cut = { key: 'agent:main:telegram:direct:1', ageMs: hourMs, status: 'running' as const }
    const built = home({
      agents: [
        { id: 'main', sessions: [cut], locks: [{ of: cut.key, pid: nobody, ageMs: hourMs, startTicks: 1 }] },
        { id: 'shop', sessions: [{ key: 'agent:shop:main' }], index: '{"agent:shop:main": {"sessionId"' },
      ],
    })
    appendFileSync(built.session(cut.key).path, '{"type":"message","id":"x","par')
    await expectGolden('prestart-broken', [
      await seen('prestart --home home'),
      await seen('prestart --home nowhere'),
      await seen('prestart --home nowhere --strict'),
    ])
  })
})
