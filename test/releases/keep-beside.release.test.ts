import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { KeeperStatus } from '../../src/openclaw/keep/status.ts'
import { holdfastProcess, killStarted, spawnHoldfast } from '../cli/processes.ts'
import { buildHome } from '../openclaw/build.ts'
import { type Gateway, killGateways, startGateway, withoutResets } from './gateway.ts'
import { IndexWatch } from './index-watch.ts'
import { type LoadReport, say, talkTo } from './load.ts'
import { RememberingModel } from './model.ts'
import { Planter } from './planter.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
const controlMs = 1.25 * minuteMs
const keptMs = 3.25 * minuteMs
const idle = Array.from({ length: 12 }, (_, at) => `agent:main:telegram:direct:idle-${at}`)
const alive = ['agent:main:telegram:direct:yesterday', 'agent:main:telegram:group:-7', 'agent:main:main']
const keeperBytesMax = 300 * 1024 ** 2
/** What a gateway says of a session that somebody else has changed under it. */
const trouble = /takeover|fingerprint|stale|session file|write.?lock|ENOENT|uncaught|unhandled|session.*(fail|error)/i

const model = RememberingModel.ofFile()
afterEach(killGateways)
afterAll(killStarted)

interface Watched {
  load: LoadReport
  planter: Planter
  watch: IndexWatch
  troubles: Set<string>
}

async function underLoad(gateway: Gateway, forMs: number): Promise<Watched> {
  const sessionsDir = join(gateway.state, 'agents/main/sessions')
  using planter = new Planter(sessionsDir, 1_500)
  using watch = new IndexWatch(join(sessionsDir, 'sessions.json'), 50)
  const load = await talkTo(gateway, model, { talkers: 4, forMs, turnsEach: 5 })
  return { load, planter, watch, troubles: troublesOf(gateway.home) }
}

function troublesOf(home: string): Set<string> {
  const lines = readFileSync(join(home, 'gateway.log'), 'utf8').split('\n')
  const plain = (line: string) =>
    line
      .replace(/^\S+ /, '')
      .replaceAll(/[0-9a-f-]{8,}|\d+/g, '#')
      .replaceAll(home, '')
  return new Set(lines.filter((line) => trouble.test(line)).map(plain))
}

/** A home with sessions of which some are long past what is kept. */
function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-beside-'))
  buildHome(join(home, '.openclaw'), {
    config: null,
    agents: [
      {
        id: 'main',
        sessions: [
          ...idle.map((key) => ({ key, ageMs: 12 * dayMs, turns: 2 })),
          ...alive.map((key) => ({ key, ageMs: dayMs / 2, turns: 2 })),
        ],
      },
    ],
  })
  return home
}

describe.each(['2026.5.18', '2026.7.1'])('a keeper beside the real release %s', (version) => {
  it('costs nobody a turn and the index nothing, and what it left is done before the next start', async () => {
    const control = await alone(version)
    expect(control.load.failures).toEqual([])

    const home = newHome()
    const gateway = await startGateway(version, home, model.url, withoutResets)
    const { watched, keeper } = await kept(gateway)
    const { load, planter, watch } = watched
    await gateway.stop()
    console.log(version, {
      control: { turns: control.load.turns, resets: control.load.resets, failures: control.load.failures.length },
      kept: { turns: load.turns, resets: load.resets, failures: load.failures.length, reads: watch.reads },
      planted: planter.planted.length,
      locksInUse: planter.locksInUse,
      keeper: JSON.stringify(keeper.status.homes[0]),
      keeperMiB: keeper.bytes.filter((_, at) => at % 15 === 0).map((each) => Math.round(each / 1024 ** 2)),
      troubles: [...watched.troubles],
      controlTroubles: [...control.troubles],
    })
    expect(load.failures).toEqual([])
    expect(load.turns).toBeGreaterThan(15)
    expect(load.resets).toBeGreaterThan(0)
    expect([...watched.troubles].filter((line) => !control.troubles.has(line))).toEqual([])
    expect(watch.problems).toEqual([])
    expect(watch.lost()).toEqual([])
    expect(Object.keys(watch.entries())).toEqual(expect.arrayContaining([...idle, ...alive]))
    expect(planter.planted.filter((path) => existsSync(path))).toEqual([])
    const [status] = keeper.status.homes
    expect(status).toMatchObject({ tasks: { locks: { failures: 0 }, clean: { failures: 0 } } })
    expect(status?.left).toBeGreaterThanOrEqual(idle.length)
    expect(Math.max(...keeper.bytes)).toBeLessThan(keeperBytesMax)

    const before = await holdfastProcess(['prestart', '--mode', 'enforce', '--home', gateway.state, '--json'], {
      cwd: home,
    })
    expect(before.code, before.stdout + before.stderr).toBe(0)
    expect(watch.lost().sort()).toEqual(idle.toSorted())

    const again = await startGateway(version, home, model.url, withoutResets)
    const more = { turns: 0, failures: [] }
    for (const talk of load.talks) await say(again, model, talk, `going on after ${talk.said.length}`, more)
    for (const key of alive) await say(again, model, { key, said: ['question 1', 'question 2'] }, 'and now?', more)
    await again.stop()
    expect(more.failures).toEqual([])
    rmSync(home, { recursive: true, force: true })
  })
})

/** The same load with nobody beside it. */
async function alone(version: string): Promise<Watched> {
  const home = newHome()
  const gateway = await startGateway(version, home, model.url, withoutResets)
  const watched = await underLoad(gateway, controlMs)
  await gateway.stop()
  rmSync(home, { recursive: true, force: true })
  return watched
}

async function kept(gateway: Gateway) {
  const pace = ['--clean-every', '1s', '--locks-every', '1s']
  const argv = ['keep', '--mode', 'enforce', ...pace, '--port', '0', '--json', '--home', gateway.state]
  const { child, ended, said } = spawnHoldfast(argv, { cwd: gateway.home })
  const bytes: number[] = []
  const look = setInterval(() => bytes.push(residentBytes(child.pid as number)), 1_000)
  const watched = await underLoad(gateway, keptMs)
  const { url } = JSON.parse(said.stdout) as { url: string }
  const statusNow = async () => (await (await fetch(`${url}/status`)).json()) as KeeperStatus
  const sweeps = (status: KeeperStatus) => status.homes[0]?.tasks.clean.runs ?? 0
  const endedAt = sweeps(await statusNow())
  // what was planted last is seen by the sweep after the one that goes on
  await expect.poll(async () => sweeps(await statusNow()), { timeout: minuteMs }).toBeGreaterThan(endedAt + 1)
  const status = await statusNow()
  clearInterval(look)
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code, stderr).toBe(0)
  expect(stderr.split('\n').filter((line) => /"level":"(error|fatal)"|"level":[56]0/.test(line))).toEqual([])
  return { watched, keeper: { status, bytes } }
}

function residentBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib ?? 0) * 1_024
}
