import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { container } from '../../../test/openclaw/container.ts'
import { readLinuxProcesses } from '../../host/processes/linux.ts'
import { gatewayFacts } from './running.ts'
import { processesOf } from './users.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-gateway-')))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

let dir: string
let temporary: string
let made = 0
beforeEach(() => {
  made += 1
  dir = join(root, `bot-${made}`, '.openclaw')
  temporary = join(root, `tmp-${made}`)
  mkdirSync(join(dir, 'tasks'), { recursive: true })
  mkdirSync(temporary)
})

async function look(home = dir) {
  const around = processesOf({ dir: home }, await readLinuxProcesses())
  return await gatewayFacts({ dir: home }, around, [temporary])
}

interface Part {
  title?: string
  /** Kept open, in the state directory. */
  database?: boolean
  /** Where its lock file is made; absent: it has none. */
  lockDir?: string
  /** The state directory as it sees it. */
  stateDir?: string
  env?: Record<string, string>
  around?: readonly string[]
  args?: readonly string[]
}

/** A process that shows itself as a gateway of a release does: its title, its lock, its open files. */
async function gateway({
  title,
  database,
  lockDir,
  stateDir = dir,
  env = {},
  around = [],
  args = [],
}: Part): Promise<ChildProcess> {
  const script = join(root, 'openclaw.mjs')
  const hash = createHash('sha256').update(join(stateDir, 'openclaw.json')).digest('hex').slice(0, 8)
  const plan = { title, database, stateDir, lock: lockDir === undefined ? null : join(lockDir, `gateway.${hash}.lock`) }
  writeFileSync(
    script,
    `
import fs from 'node:fs'
const { title, database, stateDir, lock } = JSON.parse(process.env.PLAN)
if (database) fs.openSync(stateDir + '/tasks/runs.sqlite', 'a')
if (lock !== null) {
  fs.mkdirSync(lock.slice(0, lock.lastIndexOf('/')), { recursive: true })
  const stat = fs.readFileSync('/proc/self/stat', 'utf8')
  const startTime = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  const payload = { pid: process.pid, createdAt: new Date().toISOString(), configPath: stateDir + '/openclaw.json', startTime }
  fs.writeSync(fs.openSync(lock, 'wx'), JSON.stringify(payload))
}
if (title) process.title = title
console.log('ready')
setInterval(() => {}, 1e6)
`,
  )
  const [program = process.execPath, ...rest] = [...around, process.execPath]
  const variables = { PATH: process.env.PATH ?? '', HOME: '/nowhere', ...env, PLAN: JSON.stringify(plan) }
  const child = spawn(program, [...rest, script, 'gateway', ...args], {
    env: variables,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

describe('a gateway that runs', () => {
  it('is known by its lock file, which it has open, whatever its title', async () => {
    const { pid } = await gateway({ title: 'openclaw', lockDir: join(temporary, 'openclaw-0') })
    expect(await look()).toMatchObject({ state: 'running', pid, container: null, sinceMs: expect.any(Number) })
  })
  it('is known by a lock in the home itself, as from 2026.9', async () => {
    const { pid } = await gateway({ title: 'openclaw-gateway', lockDir: join(dir, 'tmp', 'openclaw-0') })
    expect(await look()).toMatchObject({ state: 'running', pid })
  })
  it('is known by its title and an open file where its lock is out of sight', async () => {
    const { pid } = await gateway({ title: 'openclaw-gateway', database: true })
    expect(await look()).toMatchObject({ state: 'running', pid, proof: expect.stringContaining('runs.sqlite open') })
  })
  it('is known by its command line and the environment', async () => {
    const { pid } = await gateway({ env: { OPENCLAW_STATE_DIR: dir } })
    expect(await look()).toMatchObject({ state: 'running', pid, proof: expect.stringContaining('OPENCLAW_STATE_DIR') })
  })
  it('is known by the home of its user, and by its profile', async () => {
    const user = join(dir, '..')
    const { pid } = await gateway({ env: { HOME: user } })
    expect(await look()).toMatchObject({ state: 'running', pid })
    const work = join(user, '.openclaw-work')
    mkdirSync(work)
    expect(await look(work)).toMatchObject({ state: 'stopped' })
    const second = await gateway({ env: { HOME: user }, args: ['--profile', 'work'] })
    expect(await look(work)).toMatchObject({ state: 'running', pid: second.pid })
  })
  it('is not taken for one of the default home when it works on another', async () => {
    const other = join(root, `other-${made}`)
    mkdirSync(join(other, 'tasks'), { recursive: true })
    await gateway({ title: 'openclaw-gateway', database: true, stateDir: other, env: { HOME: join(dir, '..') } })
    expect(await look()).toMatchObject({ state: 'stopped' })
    expect(await look(other)).toMatchObject({ state: 'running' })
  })
  it('cannot be told from a command of its own that shows nothing but the name', async () => {
    await gateway({ title: 'openclaw', database: true })
    expect(await look()).toMatchObject({ state: 'unknown', because: expect.stringContaining('may be one') })
  })
})

describe('a gateway in a container', () => {
  it('is seen from the host, with its id there', async () => {
    await gateway({
      title: 'openclaw-gateway',
      lockDir: join(dir, 'tmp', 'openclaw-0'),
      around: [...container, '--mount-proc'],
    })
    const found = await look()
    expect(found).toMatchObject({
      state: 'running',
      proof: expect.stringContaining('(1 in its container'),
      container: expect.any(String),
    })
  })
  it('is seen where the home has another path inside', async () => {
    const inside = join(root, `inside-${made}`)
    mkdirSync(inside)
    const mounted = [...container, '--mount', 'sh', '-c', `mount --bind ${dir} ${inside} && exec "$@"`, 'sh']
    await gateway({ title: 'openclaw-gateway', database: true, stateDir: inside, around: mounted })
    expect(await look()).toMatchObject({
      state: 'running',
      proof: expect.stringContaining(`${inside}/tasks/runs.sqlite open`),
    })
    expect(await look(inside)).toMatchObject({ state: 'stopped' }) // what that path is on the host
  })
  it('is not taken for one of the host’s home that has the same path', async () => {
    const inside = join(root, `inside-${made}`, '.openclaw')
    mkdirSync(join(inside, 'tasks'), { recursive: true })
    const mounted = [...container, '--mount', 'sh', '-c', `mount --bind ${inside} ${dir} && exec "$@"`, 'sh']
    await gateway({ title: 'openclaw-gateway', database: true, env: { OPENCLAW_STATE_DIR: dir }, around: mounted })
    expect(await look()).toMatchObject({ state: 'stopped' })
    expect(await look(inside)).toMatchObject({ state: 'running' })
  })
})

describe('a gateway that does not run', () => {
  it('is stopped where all can be seen', async () => {
    expect(await look()).toMatchObject({ state: 'stopped' })
  })
  it('is stopped after a kill, and its lock is told as left over', async () => {
    const child = await gateway({ title: 'openclaw', lockDir: join(temporary, 'openclaw-0') })
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(readdirSync(join(temporary, 'openclaw-0'))).toHaveLength(1)
    expect(await look()).toMatchObject({ state: 'stopped', proof: expect.stringContaining('is left over') })
  })
  it('is stopped, whatever others put into the temporary directory', async () => {
    mkdirSync(join(temporary, 'openclaw-0', 'gateway.00000000.lock'), { recursive: true })
    writeFileSync(join(temporary, 'openclaw-0', 'gateway.11111111.lock'), '{"pid":')
    writeFileSync(
      join(temporary, 'openclaw-0', 'gateway.22222222.lock'),
      JSON.stringify({ pid: process.pid, configPath: '/elsewhere/openclaw.json' }),
    )
    expect(await look()).toMatchObject({ state: 'stopped' })
  })
})
