import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { systemClock as clock } from '../../src/host/clock.ts'
import { beginRun } from '../../src/openclaw/changes/begin.ts'
import { listRuns, manifestOf } from '../../src/openclaw/changes/journal/folder.ts'
import { readRun } from '../../src/openclaw/changes/journal/journal.ts'
import type { StepState } from '../../src/openclaw/changes/journal/manifest.ts'
import { undoRun } from '../../src/openclaw/changes/undo/undo.ts'
import { Scratch } from './scratch.ts'
import { treeOf } from './tree.ts'

const program = new URL('programs/changes.ts', import.meta.url).pathname

export type Act = 'change' | 'undo' | 'settle'

/** A process is killed right before the nth time that one of its threads makes this system call. */
export interface Kill {
  call: string
  nth: number
}

/** Every call that changes something on disk. */
const calls = ['rename', 'unlink', 'pwrite64', 'fsync', 'ftruncate', 'fchmod', 'fchown', 'utimensat', 'mkdir', 'rmdir']

const cache = mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
process.once('exit', () => rmSync(cache, { recursive: true, force: true }))
/** One thread of libuv, so that calls come in the same order each time. */
const env = { PATH: process.env.PATH, UV_THREADPOOL_SIZE: '1', NODE_COMPILE_CACHE: cache }

interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
  errors: string
}

async function underStrace(options: string[], dir: string, act: Act): Promise<Ending> {
  const words = ['-f', '-qq', ...options, process.execPath, '--no-warnings', program, dir, act]
  const child = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'], env })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, errors }
}

/** False when it had ended before. */
export async function runKilled(dir: string, act: Act, { call, nth }: Kill): Promise<boolean> {
  const inject = ['-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${nth}`]
  return isKilled(await underStrace(inject, dir, act))
}

function isKilled({ code, signal, errors }: Ending): boolean {
  if (signal === 'SIGKILL') return true
  expect(code, errors).toBe(0)
  return false
}

/** The nth call of a thread fails (`3`), or all from then on (`3+`). Loading modules makes none of these calls. */
export async function runFailing(
  dir: string,
  act: Act,
  call: 'pwrite64' | 'fsync',
  error: 'ENOSPC' | 'EIO',
  when: string,
): Promise<Ending> {
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=${error}:when=${when}`]
  return await underStrace(['-o', '/dev/null', ...inject], dir, act)
}

/** Every place where a kill makes a difference. */
export async function killsOf(scratch: Scratch, act: Act): Promise<Kill[]> {
  await using warm = await newStage()
  await runToEnd(warm.scratch.home.dir, act) // fills the cache, so that nothing is written to it any more
  const trace = join(scratch.top, 'trace')
  isKilled(await underStrace(['-o', trace, '-e', `trace=${calls.join(',')}`], scratch.home.dir, act))
  const counts = new Map<string, number>()
  for (const [, thread, call] of readFileSync(trace, 'utf8').matchAll(/^(\d+) +(\w+)\(/gm)) {
    const key = `${thread} ${call}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const most = new Map<string, number>()
  for (const [key, count] of counts) {
    const call = key.split(' ')[1] as string
    most.set(call, Math.max(most.get(call) ?? 0, count))
  }
  return [...most].flatMap(([call, count]) => Array.from({ length: count }, (_, at) => ({ call, nth: at + 1 })))
}

export interface Stage extends AsyncDisposable {
  scratch: Scratch
  before: Record<string, string>
}

/** `mounted`: the index is a mount by itself, as in a container, and so is written in place (root only). */
export async function newStage(mounted = false): Promise<Stage> {
  const scratch = await Scratch.open()
  const index = scratch.write('sessions.json', '{"one":{"n":1},"two":{"n":2}}')
  for (const name of ['a.jsonl', 'b.jsonl', 'broken.jsonl', 'd.jsonl.deleted.x', 'open.txt'])
    scratch.write(name, `${name}\n`)
  scratch.write('c.jsonl', 'a longer line\n'.repeat(30_000))
  const source = join(scratch.top, 'mounted')
  if (mounted) {
    writeFileSync(source, readFileSync(index))
    execFileSync('mount', ['--bind', source, index])
  }
  const wholeMs = new Date('2026-05-01T10:11:12.345Z') // Node cannot set the last digits of a time
  for (const name of readdirSync(scratch.sessions)) utimesSync(scratch.path(name), wholeMs, wholeMs)
  const dispose = async () => {
    if (mounted) execFileSync('umount', [index])
    await scratch[Symbol.asyncDispose]()
  }
  return { scratch, before: treeOf(scratch.home.dir), [Symbol.asyncDispose]: dispose }
}

/** The next run finds out what was half-way; what the manifest says then is what stands on disk; undoing gives back every byte. */
export async function expectWayBack({ scratch, before }: Stage, told: string): Promise<void> {
  const { home } = scratch
  {
    await using run = beginRun(home, 'repair', { clock })
    await run.hold()
  }
  const runs = await listRuns(home.dir)
  expect(runs.length, told).toBeLessThanOrEqual(1)
  for (const run of runs) {
    expect(readFileSync(manifestOf(home.dir, run), 'utf8'), told).toMatch(/"type":"settled","atMs":\d+}\n$/)
    const { state } = await readRun(home.dir, run)
    expectTrue(scratch, [...state.steps.values()], before, told)
    const how = {
      clock,
      gatewayNow: async () => ({ state: 'stopped' as const, proof: told }),
      dryRun: false,
      only: null,
    }
    const { steps } = await undoRun(home, run, how)
    expect(
      steps.filter(({ done }) => !done),
      told,
    ).toEqual([])
  }
  expect(treeOf(home.dir), told).toEqual(before)
}

/** Steps on one file come after one another, so the last one that counts decides. */
function expectTrue(scratch: Scratch, steps: StepState[], before: Record<string, string>, told: string): void {
  const now = treeOf(scratch.home.dir)
  const counted = new Set<string>()
  for (const { told: step, state } of steps) {
    expect(['done', 'left', 'undone'], `${step.type} of ${step.path}, ${told}`).toContain(state)
    if (state !== 'done') continue
    counted.add(step.path)
    if (step.type === 'take') expect(existsSync(scratch.at(step.path)), `${step.path}, ${told}`).toBe(false)
    else expect(now[step.path], `${step.path}, ${told}`).not.toBe(before[step.path])
  }
  for (const [name, facts] of Object.entries(before))
    if (!counted.has(name)) expect(now[name], `${name}, ${told}`).toBe(facts)
}

/** Ended by itself, so that it can be killed on its way back. */
export async function runToEnd(dir: string, act: Act): Promise<void> {
  execFileSync(process.execPath, ['--no-warnings', program, dir, act], { env })
}
