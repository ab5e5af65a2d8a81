import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { transcriptOf } from '../../cli/golden.ts'
import { normalise } from '../../cli/normalise.ts'
import { holdfast, start } from '../../cli/program.ts'
import { buildHome } from '../build.ts'
import { container } from '../container.ts'
import { orphansBesideGateway, startHolder } from '../holders.ts'
import type { BuiltHome, HomePlan } from '../plans.ts'
import { Ground } from '../unpack.ts'

let ground: Ground
let children: { kill(signal: 'SIGKILL'): boolean }[]
beforeEach(() => {
  ground = new Ground()
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  ground[Symbol.dispose]()
})

const key = 'agent:main:telegram:direct:42'

function home(plan: Partial<HomePlan> = {}): BuiltHome {
  const built = buildHome(join(ground.root, 'home'), { agents: [{ id: 'main', sessions: [{ key }] }], ...plan })
  mkdirSync(join(built.dir, 'tasks'))
  return built
}

/** What a gateway has open: its database and its own lock. */
const ofGateway = ({ dir }: BuiltHome) =>
  `${join(dir, 'tasks', 'runs.sqlite')} ${join(ground.root, 'gateway.7196fe4c.lock')}`
const held = (key: string, built: BuiltHome) => `${built.session(key).path}.lock`

async function hold(plan: Parameters<typeof startHolder>[0]): Promise<number> {
  const child = await startHolder(plan)
  children.push(child)
  return child.pid ?? 0
}

/** What differs from run to run has a name. */
function plain(text: string): string {
  return normalise(text, { ground: ground.root })
    .replace(/none of \d+ processes/g, 'none of <n> processes')
    .replace(/process <pid> \((?!\d+ in)(?!openclaw)[^)]*\)/g, 'process <pid> (<command>)')
    .replace(/(<duration> {2})\d+( {2}live, overdue)/g, '$1<pid>$2')
    .replace(/(has the id 15); process [^;\n]*(?=; its gateway)/g, '$1') // who has it on this machine
    .replace(/tick \d+/g, 'tick <n>')
    .replace(/1 lock cleared \(\d+ B\)/g, '1 lock cleared (<size>)') // it holds ticks: a digit more after 10,000 s
    .replace(/names \d+/g, 'names <n>')
    .replace(/pid:\[\d+\]/g, '<container>')
    .replace(/\d+ % of a processor/g, '<n> % of a processor')
    .replace(/"cpuShare": [\d.]+/g, '"cpuShare": <n>')
    .replace(/"(ageMs|sinceMs)": [\d.]+/g, '"$1": <n>')
    .replace(/\d{8}T\d{6}Z-locks-[0-9a-f]{8}/g, '<run>')
}

async function expectGolden(scenario: string, lines: readonly string[]): Promise<void> {
  const text = plain(await transcriptOf(lines, { cwd: ground.root }))
  await expect(text).toMatchFileSnapshot(new URL(`../../cli/golden/locks-${scenario}.txt`, import.meta.url).pathname)
}

it('tells what it can do', () =>
  expectGolden('help', ['locks --help', 'locks list --help', 'locks clear --help', 'locks watch --help']))

it('a lock that a live gateway holds for 12 minutes is told with all that is known, and never cleared', async () => {
  const built = home()
  const env = { HELD_FOR_MS: String(12 * 60_000 + 3_000), KEEPS_OPEN: ofGateway(built) }
  const pid = await hold({ locks: [held(key, built)], env })
  await expectGolden('overdue', [
    'locks --home home',
    'locks clear --home home',
    'locks clear --home home --dry-run',
    'locks --home home --json',
  ])
  const { stdout } = await holdfast(['locks', '--home', 'home', '--json'], { cwd: ground.root })
  expect(JSON.parse(stdout).homes[0].locks).toMatchObject([
    {
      path: held(key, built),
      pid,
      verdict: 'live',
      operation: 'compaction',
      overdue: true,
      key,
      holder: { pid, hasItOpen: true },
    },
  ])
  expect(readdirSync(built.sessionsDir('main'))).toContain(held(key, built).split('/').at(-1))
})

it('181 orphans of process 15 beside a live process 7 go, and the live one stays', async () => {
  const sessions = Array.from({ length: 181 }, (_, at) => ({ key: `agent:main:telegram:direct:${1000 + at}` }))
  const built = home({ agents: [{ id: 'main', sessions: [{ key }, ...sessions] }] })
  const words = orphansBesideGateway(
    sessions.map((each) => held(each.key, built)),
    held(key, built),
  )
  const [program = '', ...args] = [...container, '--mount-proc', ...words]
  children.push(
    spawn(program, args, {
      stdio: 'ignore',
      env: { ...process.env, KEEPS_OPEN: ofGateway(built), HELD_FOR_MS: '63000' },
    }),
  )
  const locked = () => readdirSync(built.sessionsDir('main')).filter((name) => name.endsWith('.lock'))
  await expect.poll(() => locked().length, { timeout: 20_000 }).toBe(182)
  await expect
    .poll(async () => (await holdfast(['locks', '--home', 'home'], { cwd: ground.root })).stdout, { timeout: 20_000 })
    .toContain(' 7  live')
  const dry = await holdfast(['locks', 'clear', '--home', 'home', '--dry-run', '--json'], { cwd: ground.root })
  const [found] = JSON.parse(dry.stdout).homes
  expect(found).toMatchObject({ dir: built.dir, mode: 'dry-run', manifest: null, locks: [{ verdict: 'live', pid: 7 }] })
  expect(found.steps).toHaveLength(181)
  expect(found.steps[0]).toEqual({
    kind: 'clear-lock',
    path: expect.any(String),
    key: expect.any(String),
    because: expect.any(String),
    bytes: expect.any(Number),
    done: false,
    left: null,
  })
  await expectGolden('orphans', [
    'locks --home home',
    'locks clear --home home --dry-run',
    'locks clear --home home',
    'locks --home home',
  ])
  expect(locked()).toEqual([held(key, built).split('/').at(-1)])
})

it('process 1 of a container is not process 1 of this machine', async () => {
  const other = 'agent:main:telegram:direct:43'
  const built = home({ agents: [{ id: 'main', sessions: [{ key }, { key: other }] }] })
  const first = await startHolder({ locks: [held(other, built)], around: [...container, '--mount-proc'] })
  first.kill('SIGKILL')
  await hold({
    locks: [held(key, built)],
    around: [...container, '--mount-proc'],
    env: { KEEPS_OPEN: ofGateway(built), HELD_FOR_MS: '63000' },
  })
  const seen = async () => (await holdfast(['locks', '--home', 'home'], { cwd: ground.root })).stdout
  await expect.poll(seen, { timeout: 20_000 }).toContain('recycled')
  await expectGolden('first-process', ['locks --home home', 'locks clear --home home'])
})

it('nothing is locked, and no home is there', async () => {
  home()
  await expectGolden('none', [
    'locks --home home',
    'locks clear --home home',
    'locks --home nowhere',
    'locks list --every 5',
  ])
})

it('is watched until it is told to stop: taken, overdue, released', async () => {
  const built = home()
  const watch = start(['locks', 'watch', '--home', 'home', '--every', '50ms'], { cwd: ground.root, stdin: '' })
  await watch.says('Ctrl-C ends')
  const child = await startHolder({ locks: [held(key, built)], env: { HELD_FOR_MS: String(5 * 60_000 - 2_000) } })
  children.push(child)
  await watch.says('held')
  await watch.says('overdue')
  child.kill('SIGKILL')
  await watch.says('dead')
  await holdfast(['locks', 'clear', '--home', 'home'], { cwd: ground.root })
  await watch.says('released')
  watch.signal('SIGINT')
  const { code, stdout } = await watch.ended
  expect(code).toBe(0)
  const events = stdout
    .split('\n')
    .flatMap((line) => /Z {2}(\w+) +\S+ {2}([\w, ]+)/.exec(line)?.slice(1, 3).join(' ') ?? [])
  expect(events.map((event) => event.replace(/, for.*| about.*/, ''))).toEqual([
    'held live',
    'judged live, overdue',
    'judged dead',
    'released after',
  ])
})

it('is watched as lines of JSON', async () => {
  const built = home()
  const watch = start(['locks', 'watch', '--home', 'home', '--every', '50ms', '--json'], {
    cwd: ground.root,
    stdin: '',
  })
  await hold({ locks: [held(key, built)] })
  const said = await watch.says('\n')
  watch.signal('SIGTERM')
  expect(await watch.ended).toMatchObject({ code: 0 })
  expect(JSON.parse(said.split('\n')[0] ?? '')).toMatchObject({
    dir: built.dir,
    event: 'held',
    lock: { verdict: 'live', key },
  })
})
