import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { container } from '../../../test/openclaw/container.ts'
import { runCommand } from '../commands.ts'
import type { ProcessFacts, ProcessTable } from '../processes.ts'
import { readLinuxProcesses } from './linux.ts'
import { readPortableProcesses } from './portable.ts'

const isRoot = process.geteuid?.() === 0
const children: ChildProcess[] = []
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-processes-'))
  chmodSync(folder, 0o755) // other users run a script in it
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** A process that prints its own id, its start as it sees it, and stays. */
const stays = `const stat = require('fs').readFileSync('/proc/self/stat', 'utf8')
console.log(process.pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]); setInterval(() => {}, 1e6)`

async function started(command: readonly string[], options: object = {}): Promise<{ pid: number; startTicks: number }> {
  const [program = '', ...args] = command
  const child = spawn(program, [...args, process.execPath, '-e', stays], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })
  children.push(child)
  const [said] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  const [pid = 0, startTicks = 0] = String(said).trim().split(' ').map(Number)
  return { pid, startTicks }
}

const findInner = (table: ProcessTable, inner: { pid: number; startTicks: number }): ProcessFacts | undefined =>
  table.processes.find(
    ({ ids, startTicks }) => ids.length > 1 && ids.at(-1) === inner.pid && startTicks === inner.startTicks,
  )

describe('the processes of a Linux machine', () => {
  it('are told as they know themselves', async () => {
    const table = await readLinuxProcesses()
    const own = table.processes.find(({ pid }) => pid === process.pid)
    expect(own).toMatchObject({
      uid: process.geteuid?.(),
      parent: process.ppid,
      kernel: false,
      startTicks: expect.any(Number),
    })
    expect(own?.ids.at(-1)).toBe(process.pid)
    expect(own?.argv.length).toBeGreaterThan(0)
    expect(own?.pidNamespace).toBe(table.own.pidNamespace)
    // Unless the clock was set since, which `doubtMs` then tells.
    expect(Math.abs((own?.startedAtMs ?? 0) - performance.timeOrigin)).toBeLessThan(1_500 + table.doubtMs)
  })

  it('have ids in the namespaces of their containers, and the start that they see there themselves', async () => {
    const inner = await started([...container, '--mount-proc'])
    expect(inner.pid).toBe(1)
    const found = findInner(await readLinuxProcesses(), inner)
    expect(found?.ids).toEqual([found?.pid, 1])
    expect(found?.pidNamespace).not.toBe((await readLinuxProcesses()).own.pidNamespace)
  })

  it('have the start that they see themselves where their own clock was moved', async () => {
    const inner = await started([...container, '--mount-proc', '-T', '--boottime', '100000'])
    const table = await readLinuxProcesses()
    expect(findInner(table, inner)).toBeUndefined() // seen from here it is another
    const moved = table.processes.filter(
      ({ ids, ownStartTicks }) => ids.at(-1) === inner.pid && ownStartTicks === inner.startTicks,
    )
    expect(moved).toMatchObject([{ startTicks: inner.startTicks - 10_000_000, timeNamespace: expect.any(String) }])
    expect(moved[0]?.timeNamespace).not.toBe(table.own.timeNamespace)
  })

  it('that have ended and were not collected are told as that', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0 & exec sleep 60'], { stdio: 'ignore' })
    children.push(parent)
    let zombie: ProcessFacts | undefined
    for (let tries = 0; zombie === undefined && tries < 200; tries += 1) {
      await sleep(20)
      zombie = (await readLinuxProcesses()).processes.find((each) => each.parent === parent.pid && each.state === 'Z')
    }
    expect(zombie).toMatchObject({ state: 'Z', argv: [] })
  })

  it('may come and go while they are listed', async () => {
    const stop = spawn('sh', ['-c', 'while :; do true | true | true & wait; done'], { stdio: 'ignore' })
    children.push(stop)
    for (let round = 0; round < 30; round += 1) {
      const { processes } = await readLinuxProcesses()
      expect(processes.some(({ pid }) => pid === process.pid)).toBe(true)
      for (const { pid } of processes) expect(pid).toBeGreaterThan(0)
    }
    stop.kill('SIGKILL')
  })
})

describe('a look into a process', () => {
  it('tells named variables, open lock files with their identity, and what paths are for it', async () => {
    const path = join(folder, 'a.jsonl.lock')
    writeFileSync(path, '{}')
    const code = `const fs = require('fs'); fs.openSync(process.argv[1], 'r+'); fs.openSync(process.argv[1], 'r'); console.log('open'); setInterval(() => {}, 1e6)`
    const env = { HOME: '/home/bot', OPENCLAW_STATE_DIR: '/srv/x', SECRET_KEY: 'never', PATH: process.env.PATH ?? '' }
    const child = spawn(process.execPath, ['-e', code, path], {
      env,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    await once(child.stdout, 'data')
    const table = await readLinuxProcesses()
    const details = table.look(child.pid ?? 0, ['HOME', 'OPENCLAW_STATE_DIR'])
    expect(details).toMatchObject({
      environment: { HOME: '/home/bot', OPENCLAW_STATE_DIR: '/srv/x' },
      cwd: folder,
      cut: false,
    })
    expect(JSON.stringify(details?.environment)).not.toContain('never')
    const open = details?.openFiles.filter((each) => each.path === path)
    expect(open?.map(({ writes }) => writes)).toEqual([true, false])
    expect(open?.[0]?.file).toEqual(table.fileAt(process.pid, path))
    expect(table.fileAt(child.pid ?? 0, path)).toEqual(table.fileAt(process.pid, path))
    expect(table.fileAt(child.pid ?? 0, join(folder, 'none'))).toBeNull()
  })

  it('is nothing once the process has ended', async () => {
    const child = spawn('true', { stdio: 'ignore' })
    await once(child, 'exit')
    const table = await readLinuxProcesses()
    expect([table.look(child.pid ?? 0, []), table.again(child.pid ?? 0), table.fileAt(child.pid ?? 0, '/')]).toEqual([
      null,
      null,
      null,
    ])
  })
})

/** Runs this reader in another process, as that one sees the machine. */
function seenBy(command: readonly string[]): Promise<ProcessTable> {
  const script = join(folder, 'seen.mjs')
  const linux = new URL('./linux.ts', import.meta.url).pathname
  writeFileSync(
    script,
    `import { readLinuxProcesses } from ${JSON.stringify(linux)}\nconsole.log(JSON.stringify(await readLinuxProcesses()))`,
  )
  const [program = '', ...args] = command
  const child = spawn(program, [...args, process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return once(child, 'close').then(() => JSON.parse(text))
}

describe('what cannot be seen', () => {
  it('is said in a container', async () => {
    const { own, processes } = await seenBy([...container, '--mount-proc'])
    expect(own).toMatchObject({ pid: 1, unseen: { whose: 'outside' } })
    expect(processes).toHaveLength(1)
  })
  it('is said where /proc is that of another container', async () => {
    expect((await seenBy(container)).own.unseen).toMatchObject({
      whose: 'outside',
    })
  })
  it.runIf(isRoot)('is said where other users are hidden, but not to root', async () => {
    const hide = (then: string) => [
      'unshare',
      '--mount',
      'sh',
      '-c',
      `mount -t proc -o hidepid=2 proc /proc && ${then} "$@"`,
      'sh',
    ]
    expect((await seenBy(hide('exec'))).own.unseen).toBeNull()
    const asNobody = await seenBy(hide('exec setpriv --reuid 65534 --regid 65534 --clear-groups'))
    expect(asNobody.own).toMatchObject({ uid: 65534, unseen: { whose: 'others' } })
    expect(asNobody.processes.every(({ uid }) => uid === 65534)).toBe(true)
  })
  it.runIf(isRoot)('is told to every user as far as it is everybody’s to know', async () => {
    const { processes } = await seenBy(['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'])
    const own = processes.find(({ pid }) => pid === process.pid)
    expect(own).toMatchObject({ startTicks: startOf(process.pid), pidNamespace: null, timeNamespace: null })
  })
})

function startOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
}

it('ps tells the same where there is no /proc to read', async () => {
  const ask = async (program: string, args: readonly string[], variables: Record<string, string>) => {
    const limits = {
      timeLimitMs: 10_000,
      outputBytesMax: 16 * 1024 ** 2,
      cwd: '/',
      env: { PATH: process.env.PATH, ...variables },
    }
    const { code, stdout } = await runCommand(program, args, limits)
    return code === 0 ? stdout : null
  }
  const byPs = await readPortableProcesses('darwin', async (program, args, more) =>
    program === 'ps' ? ask(program, args, more) : null,
  )
  const own = byPs.processes.find(({ pid }) => pid === process.pid)
  const here = (await readLinuxProcesses()).processes.find(({ pid }) => pid === process.pid)
  expect(own).toMatchObject({ parent: process.ppid, uid: here?.uid })
  expect(Math.abs((own?.startedAtMs ?? 0) - (here?.startedAtMs ?? 0))).toBeLessThan(2_500)
})
