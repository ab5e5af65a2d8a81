import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { container } from '../../../test/openclaw/container.ts'
import { type HolderPlan, orphansBesideGateway, startHolder } from '../../../test/openclaw/holders.ts'
import { unprivileged } from '../../../test/unprivileged.ts'
import { systemClock } from '../../host/clock.ts'
import { readLinuxProcesses } from '../../host/processes/linux.ts'
import { withCpu } from './holders.ts'
import { lookAtLocks } from './look.ts'
import type { JudgedLock } from './verdict.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-locks-')))
const children: { kill(signal: 'SIGKILL'): boolean }[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

let made = 0
let dir: string
let sessions: string
beforeEach(() => {
  made += 1
  dir = join(root, `${made}`)
  sessions = join(dir, 'agents', 'main', 'sessions')
  mkdirSync(sessions, { recursive: true })
})

async function look() {
  const agents = [{ id: 'main', sessionsDir: sessions, indexPath: join(sessions, 'sessions.json'), databasePath: null }]
  return await lookAtLocks({ dir, agents }, readLinuxProcesses, Date.now)
}
async function locks(): Promise<JudgedLock[]> {
  return (await look()).agents.flatMap((agent) => agent.locks)
}

async function holder(names: readonly string[], around: readonly string[] = [], env: HolderPlan['env'] = {}) {
  const child = await startHolder({ locks: names.map((name) => join(sessions, `${name}.jsonl.lock`)), around, env })
  children.push(child)
  return child
}

describe('the lock of a real process', () => {
  it('is live while it lives and dead when it was killed', async () => {
    const child = await holder(['a'])
    expect(await locks()).toMatchObject([
      { verdict: 'live', pid: child.pid, holder: { pid: child.pid, hasItOpen: true, state: expect.any(String) } },
    ])
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await locks()).toMatchObject([{ verdict: 'dead', pid: child.pid, holder: null }])
  })
  it('is live by its start alone, where its file is not open', async () => {
    const child = await holder(['a'], [], { CLOSES: '1' })
    expect(await locks()).toMatchObject([{ verdict: 'live', holder: { pid: child.pid, hasItOpen: false } }])
  })
  it('is live in a container, where it is process 1', async () => {
    await holder(['a'], [...container, '--mount-proc'], { CLOSES: '1' })
    expect(await locks()).toMatchObject([
      { verdict: 'live', pid: 1, proof: expect.stringContaining('(1 in its container, openclaw)') },
    ])
  })
  it('is dead when process 1 of that container has ended, although this machine has a process 1', async () => {
    const child = await holder(['a'], [...container, '--mount-proc'])
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expect.poll(locks).toMatchObject([{ verdict: 'dead', pid: 1 }])
  })
  it('is recycled when process 1 of the next container has its id', async () => {
    const first = await holder(['a'], [...container, '--mount-proc'])
    first.kill('SIGKILL')
    await once(first, 'exit')
    mkdirSync(join(dir, 'tasks'))
    await holder(['b'], [...container, '--mount-proc'], { KEEPS_OPEN: join(dir, 'tasks', 'runs.sqlite') })
    await expect.poll(locks).toMatchObject([
      {
        verdict: 'recycled',
        pid: 1,
        proof: expect.stringMatching(/1 in its container, openclaw\) started at tick \d+, and the lock names \d+/),
      },
      { verdict: 'live', pid: 1 },
    ])
  })
  it('is live where its clock was moved', async () => {
    const moved = [...container, '--mount-proc', '-T', '--boottime', '100000']
    await holder(['a'], moved, { CLOSES: '1' })
    await holder(['b'], moved)
    expect(await locks()).toMatchObject([
      { verdict: 'live', proof: expect.stringContaining('as the lock says') },
      { verdict: 'live', proof: expect.stringContaining('open for writing') },
    ])
  })
  it('tells how busy its holder is', async () => {
    await holder(['idle'])
    await holder(['spins'], [], { SPINS: '1' })
    const { agents, around } = await look()
    const measured = await withCpu(
      agents.flatMap((agent) => agent.locks),
      around.table,
      systemClock,
    )
    const [idle, spins] = measured.map(({ holder: each }) => each?.cpuShare ?? -1)
    expect(idle).toBeGreaterThanOrEqual(0)
    expect(idle).toBeLessThan(spins ?? 0)
  })
})

it('181 orphans of process 15 are dead beside a gateway that is process 7, in one container', async () => {
  const names = Array.from({ length: 181 }, (_, index) => `orphan-${String(index).padStart(3, '0')}`)
  const paths = names.map((name) => join(sessions, `${name}.jsonl.lock`))
  const words = orphansBesideGateway(paths, join(sessions, 'live.jsonl.lock'))
  const [program = '', ...args] = [...container, '--mount-proc', ...words]
  const child = spawn(program, args, { stdio: 'ignore' })
  children.push(child)
  await expect
    .poll(async () => (await locks()).find(({ path }) => path.endsWith('live.jsonl.lock'))?.verdict, {
      timeout: 20_000,
    })
    .toBe('live')
  const found = await locks()
  const live = found.filter(({ verdict }) => verdict === 'live')
  expect(live.map(({ path }) => path)).toEqual([join(sessions, 'live.jsonl.lock')])
  const orphans = found.filter(({ path }) => path.includes('orphan'))
  expect(orphans).toHaveLength(181)
  expect(live[0]?.pid).toBe(7)
  for (const orphan of orphans) expect(orphan).toMatchObject({ verdict: 'dead', pid: 15 })
})

describe('a file that is no lock', () => {
  const old = new Date(Date.now() - 60_000)
  function put(name: string, content: string | Buffer): string {
    const path = join(sessions, `${name}.jsonl.lock`)
    writeFileSync(path, content)
    utimesSync(path, old, old)
    return path
  }

  it('is told for what it is, and nothing waits for it', async () => {
    put('empty', '')
    put('half', '{"pid":15,"crea')
    put('huge', Buffer.alloc(200 * 1024, 0x20))
    put('nul', Buffer.alloc(64))
    mkdirSync(join(sessions, 'directory.jsonl.lock'))
    spawnSync('mkfifo', [join(sessions, 'pipe.jsonl.lock')])
    symlinkSync('/etc/passwd', join(sessions, 'link.jsonl.lock'))
    for (const name of ['directory', 'pipe']) utimesSync(join(sessions, `${name}.jsonl.lock`), old, old)
    spawnSync('touch', ['-h', '-d', '1 minute ago', join(sessions, 'link.jsonl.lock')])
    const found = await locks()
    expect(found.map(({ verdict, what, proof, pid }) => [verdict, what, proof, pid])).toEqual([
      ['malformed', 'directory', 'it is a directory and no file', null],
      ['malformed', 'file', 'it is empty', null],
      ['malformed', 'file', 'it is no JSON', null],
      ['malformed', 'file', 'it has 204800 bytes', null],
      ['malformed', 'link', 'it is a link and no file', null],
      ['malformed', 'file', 'it is no JSON', null],
      ['malformed', 'pipe', 'it is a pipe and no file', null],
    ])
  })
  it('may be one that is being written', async () => {
    writeFileSync(join(sessions, 'a.jsonl.lock'), '')
    expect(await locks()).toMatchObject([{ verdict: 'unknown' }])
  })
  it('is not looked at under another name', async () => {
    for (const name of ['sessions.json', 'a.jsonl', 'a.jsonl.lock.bak', 'a.lock.jsonl'])
      writeFileSync(join(sessions, name), '')
    put('sessions', '')
    writeFileSync(
      join(sessions, 'sessions.json.lock'),
      JSON.stringify({ pid: 2 ** 22, createdAt: old.toISOString(), starttime: 1 }),
    )
    expect((await locks()).map(({ path, verdict }) => [path.slice(sessions.length + 1), verdict])).toEqual([
      ['sessions.json.lock', 'dead'],
      ['sessions.jsonl.lock', 'malformed'],
    ])
  })
  it('cannot be told when it may not be read', async () => {
    chmodSync(put('a', '{}'), 0)
    await unprivileged(root, async () => expect(await locks()).toMatchObject([{ verdict: 'unknown' }]))
  })
})

it('says what could not be looked at, and looks at the rest', async () => {
  const other = join(dir, 'agents', 'other', 'sessions')
  mkdirSync(join(dir, 'agents', 'other'))
  symlinkSync('/etc', other)
  const agents = ['main', 'other', 'absent'].map((id) => {
    return { id, sessionsDir: join(dir, 'agents', id, 'sessions'), indexPath: '', databasePath: null }
  })
  writeFileSync(join(sessions, 'a.jsonl.lock'), JSON.stringify({ pid: 2 ** 22, starttime: 1 }))
  const found = await lookAtLocks({ dir, agents }, readLinuxProcesses, Date.now)
  expect(found.unreadable).toMatchObject([{ path: other }])
  expect(found.agents.map((agent) => [agent.agent.id, agent.locks.length])).toEqual([
    ['main', 1],
    ['absent', 0],
  ])
})
