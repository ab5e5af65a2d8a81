import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { listRuns, manifestOf } from '../../../src/openclaw/changes/journal/folder.ts'
import { buildHome } from '../build.ts'
import type { BuiltHome, SessionPlan } from '../plans.ts'
import { Ground } from '../unpack.ts'
import { cleaned, homeTree, undoAll } from './cleaning.ts'

/** A process is killed right before the nth time that one of its threads makes this system call. */
export interface Kill {
  call: string
  nth: number
}

/** Every call that changes something on disk; opening also makes files. */
const calls = ['openat', 'link', 'rename', 'unlink', 'pwrite64', 'write', 'fsync', 'ftruncate', 'fchown', 'mkdir']

const dayMs = 86_400_000
const program = new URL('../programs/clean.ts', import.meta.url).pathname
const cache = mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
process.once('exit', () => rmSync(cache, { recursive: true, force: true }))

/** A home with something of each kind to do. */
export function smallHome(ground: Ground): BuiltHome {
  const person = (at: number): SessionPlan => ({ key: `agent:main:telegram:direct:${at}`, ageMs: (at + 4.5) * dayMs })
  return buildHome(join(ground.root, 'home'), {
    agents: [
      {
        id: 'main',
        sessions: [{ key: 'agent:main:main' }, ...[0, 1, 2, 3, 4].map(person), { ...person(9), bound: false }],
        leftovers: (['deleted', 'trajectory', 'temporary'] as const).map((kind) => ({ kind, ageMs: 9 * dayMs })),
        locks: [{ of: 'agent:main:telegram:direct:2', pid: 4_194_999, ageMs: dayMs }],
      },
      { id: 'work', sessions: [{ key: 'agent:work:main' }, { key: 'agent:work:direct:1', ageMs: 8 * dayMs }] },
    ],
  })
}

/** Only what lies in the home counts: a kill while the program loads changes nothing. */
async function underStrace(options: string[], dir: string): Promise<NodeJS.Signals | null> {
  const words = ['-f', '-qq', ...options, process.execPath, '--no-warnings', program, dir]
  const env = { PATH: process.env.PATH, UV_THREADPOOL_SIZE: '1', NODE_COMPILE_CACHE: cache }
  const child = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'], env })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code, signal] = await once(child, 'close')
  if (signal === null) expect(code, errors).toBe(0)
  return signal
}

export async function runKilled(dir: string, { call, nth }: Kill): Promise<boolean> {
  const inject = ['-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${nth}`]
  return (await underStrace(inject, dir)) === 'SIGKILL'
}

/** Every place where a kill can make a difference: from the first change of the home on. */
export async function allKills(): Promise<Kill[]> {
  using warm = new Ground()
  await underStrace(['-o', '/dev/null', '-e', 'trace=mkdir'], smallHome(warm).dir)
  using ground = new Ground()
  const trace = join(ground.root, 'trace')
  const { dir } = smallHome(ground)
  await underStrace(['-y', '-o', trace, '-e', `trace=${calls.join(',')}`], dir)
  const kills: Kill[] = []
  const counts = new Map<string, number>()
  const told = new Set<string>()
  let begun = false
  for (const [line, thread, call = ''] of readFileSync(trace, 'utf8').matchAll(/^(\d+) +(\w+)\(.*$/gm)) {
    const key = `${thread} ${call}`
    const nth = (counts.get(key) ?? 0) + 1
    counts.set(key, nth)
    begun ||= call === 'mkdir' && line.includes('holdfast')
    const isHere = begun && line.includes(dir) && !(call === 'openat' && !line.includes('O_CREAT'))
    if (!isHere || told.has(`${call} ${nth}`)) continue
    told.add(`${call} ${nth}`)
    kills.push({ call, nth })
  }
  return kills
}

/** After a kill anywhere: no entry has lost its transcript, the next run finishes, manifests are true, and all of it can be undone. */
export async function expectWayOn(built: BuiltHome, before: Record<string, string>, told: string): Promise<void> {
  for (const agent of ['main', 'work']) {
    const index = JSON.parse(readFileSync(join(built.sessionsDir(agent), 'sessions.json'), 'utf8'))
    for (const { sessionFile } of Object.values(index) as { sessionFile: string }[])
      expect(existsSync(sessionFile) || (await isAside(sessionFile)), `${sessionFile}, ${told}`).toBe(true)
  }
  passTime(built)
  const { steps } = await cleaned(built.dir)
  expect(
    steps.filter(({ done }) => !done),
    told,
  ).toEqual([])
  expect(Object.keys(homeTree(built.dir)), told).toEqual(finished(built, before))
  expect((await cleaned(built.dir)).steps, told).toEqual([])
  for (const run of await listRuns(built.dir))
    expect(readFileSync(manifestOf(built.dir, run), 'utf8'), told).toMatch(/"type":"settled","atMs":\d+}\n$/)
  expect(await undoAll(built.dir), told).toEqual([])
  expect(homeTree(built.dir), told).toEqual(before)
}

/** What was on its way to become a lock is nobody's when a minute has passed. */
function passTime(built: BuiltHome): void {
  const then = new Date(Date.now() - 61_000)
  for (const agent of ['main', 'work']) {
    const dir = built.sessionsDir(agent)
    for (const name of readdirSync(dir).filter((each) => each.endsWith('.new'))) utimesSync(join(dir, name), then, then)
  }
}

/** It may be under the name by which it leaves its place: the next run brings that to an end. */
async function isAside(path: string): Promise<boolean> {
  const { readdir } = await import('node:fs/promises')
  const name = path.slice(path.lastIndexOf('/') + 1)
  const names = await readdir(path.slice(0, -name.length))
  return names.some((each) => each.startsWith(`${name}.holdfast-`) || each.includes(name.slice(0, 36)))
}

/** Names that are there when all is done: those that were, without what is past its time. */
function finished(built: BuiltHome, before: Record<string, string>): string[] {
  const gone = new Set(
    built.sessions
      .filter(({ plan }) => (plan.ageMs ?? 0) > 5 * dayMs)
      .flatMap(({ path }) => [path, `${path}.lock`])
      .concat(built.leftovers)
      .map((path) => path.slice(built.dir.length + 1)),
  )
  return Object.keys(before).filter((name) => !gone.has(name))
}
