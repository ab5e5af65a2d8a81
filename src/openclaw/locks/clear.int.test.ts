import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { giveName } from '../files/give-name.ts'
import { openDirectory } from '../files/place.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-clear-')))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

const program = (name: string) => new URL(`../../../test/openclaw/programs/${name}.ts`, import.meta.url).pathname
const nobody = { pid: 2 ** 22, createdAt: '2026-11-26T02:00:00.000Z', starttime: 1 }
let dir: string
let sessions: string
let lock: string
let made = 0
beforeEach(() => {
  made += 1
  dir = join(root, `${made}`)
  sessions = join(dir, 'agents', 'main', 'sessions')
  lock = join(sessions, 'a.jsonl.lock')
  mkdirSync(sessions, { recursive: true })
  writeFileSync(lock, JSON.stringify(nobody))
})

/** Takes the lock as a gateway does; its descriptor stays open. */
function take(says: string): number {
  rmSync(lock, { force: true })
  writeFileSync(lock, says, { flag: 'wx' })
  return statSync(lock).ino
}

/** A clearer that is held up for a while before each of these system calls. */
function heldUpIn(calls: string) {
  const trace = join(dir, 'trace.txt')
  const words = [
    '-f',
    '-qq',
    '--seccomp-bpf',
    '-o',
    trace,
    '-e',
    'trace=openat,rename,link',
    '-e',
    `inject=${calls}:delay_enter=1500000`,
  ]
  const child = spawn('strace', [...words, process.execPath, program('clear-lock'), dir, sessions], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const said: Promise<Record<string, string | null>> = once(child, 'close').then(() =>
    JSON.parse(text.trim().split('\n').at(-1) ?? ''),
  )
  // Judging opens the lock once and the act once more; then the rename waits to be let in.
  const opened = () => (existsSync(trace) ? readFileSync(trace, 'utf8').split('a.jsonl.lock"').length - 1 : 0)
  const isHeldUp = () => expect.poll(opened, { timeout: 30_000, interval: 5 }).toBeGreaterThanOrEqual(2)
  return { said, isHeldUp }
}

// How long it is held up is time, and this machine may be busier than that.
describe('a lock that was judged stale', { retry: 3 }, () => {
  it('is aside when nothing came in between', async () => {
    const { said } = heldUpIn('rename')
    const { aside } = await said
    expect(aside).toMatch(/^a\.jsonl\.lock\.holdfast-[0-9a-f]{8}\.aside$/)
    expect(readdirSync(sessions)).toEqual([aside])
  })

  it('and is a fresh holder’s at the moment of the rename, is back under its name, the same file', async () => {
    const { said, isHeldUp } = heldUpIn('rename')
    await isHeldUp()
    const ino = take('fresh')
    expect(await said).toMatchObject({ code: 'HOME_CHANGED' })
    expect(readdirSync(sessions)).toEqual(['a.jsonl.lock'])
    expect([statSync(lock).ino, statSync(lock).nlink, readFileSync(lock, 'utf8')]).toEqual([ino, 1, 'fresh'])
  })

  it('and is a fresh holder’s, never takes the name from the next one, who came while it was aside', async () => {
    const { said, isHeldUp } = heldUpIn('rename,link')
    await isHeldUp()
    take('fresh')
    await expect.poll(() => existsSync(lock), { timeout: 30_000, interval: 5 }).toBe(false)
    const ino = take('next')
    expect(await said).toMatchObject({ code: 'HOME_CHANGED', because: expect.stringContaining('.aside') })
    expect([statSync(lock).ino, readFileSync(lock, 'utf8')]).toEqual([ino, 'next'])
    const aside = readdirSync(sessions).find((name) => name.endsWith('.aside'))
    expect(readFileSync(join(sessions, aside ?? ''), 'utf8')).toBe('fresh')
  })
})

it('a fresh holder’s lock would be gone if whatever has the name were removed after a last look, as gateways do', async () => {
  const child = spawn(process.execPath, [program('clear-lock'), dir, sessions, 'unlink'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  await once(child.stdout, 'data') // it has had its last look
  take('fresh')
  child.stdin.end('go on')
  await once(child, 'close')
  expect(existsSync(lock)).toBe(false)
})

it('a file with both names, as a kill leaves it, has its own again', () => {
  using directory = openDirectory(dir, sessions)
  linkSync(lock, join(sessions, 'x.aside'))
  expect(directory !== null && giveName(directory, 'x.aside', 'a.jsonl.lock')).toBe(true)
  expect(readdirSync(sessions)).toEqual(['a.jsonl.lock'])
  expect(statSync(lock).nlink).toBe(1)
})
