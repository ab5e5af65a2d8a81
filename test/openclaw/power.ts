import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { systemClock as clock } from '../../src/host/clock.ts'
import { beginRun } from '../../src/openclaw/changes/begin.ts'
import { listRuns } from '../../src/openclaw/changes/journal/folder.ts'
import { undoRun } from '../../src/openclaw/changes/undo/undo.ts'
import { chanceFrom } from '../power/chance.ts'
import { type CrashState, crashStates } from '../power/disk.ts'
import { type Call, callsIn } from '../power/trace.ts'
import { homeIn, Scratch } from './scratch.ts'

const program = new URL('programs/changes.ts', import.meta.url).pathname

/** One run on a home, as the disk saw it. */
export interface Recording {
  calls: Call[]
  /** So many of them made the home, before the run. */
  made: number
  /** Where the home was. */
  dir: string
  before: Map<string, string>
}

export async function record(act: 'change' | 'undo'): Promise<Recording> {
  await using scratch = await Scratch.open()
  scratch.write('sessions.json', '{"one":{"n":1},"two":{"n":2}}')
  for (const name of ['a.jsonl', 'b.jsonl', 'broken.jsonl', 'd.jsonl.deleted.x', 'open.txt'])
    scratch.write(name, `${name}\n`)
  scratch.write('c.jsonl', 'a longer line\n'.repeat(300))
  const { dir } = scratch.home
  const before = contentsOf(dir)
  if (act === 'undo') await traced(dir, 'change', '/dev/null')
  const trace = join(scratch.top, 'trace')
  const there = contentsOf(dir, true)
  await traced(dir, act, trace)
  return {
    calls: callsIn(asMade(there, dir) + withPaths(readFileSync(trace, 'utf8')), ''),
    made: there.size * 4,
    dir,
    before,
  }
}

async function traced(dir: string, act: string, trace: string): Promise<void> {
  const calls = 'trace=openat,pwrite64,fsync,ftruncate,unlink,rename,link'
  const options = ['-f', '--seccomp-bpf', '-qq', '-y', '-xx', '-s', '1000000', '-o', trace, '-e', calls]
  const child = spawn('strace', [...options, process.execPath, '--no-warnings', program, dir, act], {
    stdio: 'inherit',
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the run ended with ${code}`)
}

const hex = (text: string | Buffer): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
const plain = (text: string): string => Buffer.from(text.replaceAll('\\x', ''), 'hex').toString()

/** What was there before, as if it had been made and synced. */
function asMade(files: Map<string, string>, dir: string): string {
  const lines: string[] = []
  for (const [name, content] of files) {
    const path = hex(join(dir, name))
    lines.push(`1 openat(AT_FDCWD, "${path}", O_WRONLY|O_CREAT) = 3<${path}>`)
    lines.push(
      `1 pwrite64(3<${path}>, "${hex(Buffer.from(content, 'latin1'))}", ${content.length}, 0) = ${content.length}`,
    )
    lines.push(`1 fsync(3<${path}>) = 0`, `1 fsync(3<${hex(dirname(join(dir, name)))}>) = 0`)
  }
  return `${lines.join('\n')}\n`
}

/** Names below a descriptor get the path of their directory; a link that is followed by an unlink is a rename. */
function withPaths(trace: string): string {
  const directories = new Map<string, string>()
  return trace
    .split('\n')
    .map((line) => {
      const opened =
        /openat\(.* = (\d+)<((?:\\x[0-9a-f]{2})+)>$/.exec(line) ??
        /openat resumed.* = (\d+)<((?:\\x[0-9a-f]{2})+)>$/.exec(line)
      const named = line.replace(/"((?:\\x[0-9a-f]{2})+)"/g, (whole, path: string) => {
        if (!path.startsWith(hex('/proc/self/fd/'))) return whole
        const [, fd = '', name = ''] = /^\/proc\/self\/fd\/(\d+)\/(.*)$/.exec(plain(path)) ?? []
        return `"${hex(`${directories.get(fd)}/${name}`)}"`
      })
      if (opened !== null) directories.set(opened[1] as string, plain(opened[2] as string))
      return named.replace(/^(\d+ +)link\(/, '$1rename(')
    })
    .join('\n')
}

/** Every file by its name in the home; our own only when asked for. */
function contentsOf(dir: string, own = false): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(dir, path)
    if (entry.isFile() && (own || !name.startsWith('holdfast/'))) found.set(name, readFileSync(path, 'latin1'))
  }
  return found
}

export interface Exploration {
  states: number
  checked: number
  violations: string[]
}

const seed = 20_261_121

/** Takes everything back in at most `checksMax` of the states that a power cut can leave, spread evenly. */
export async function explore({ calls, made, dir, before }: Recording, checksMax: number): Promise<Exploration> {
  const states = [...crashStates(calls, chanceFrom(seed))].filter(({ after }) => after >= made)
  const chosen = chanceFrom(seed)
  const found: Exploration = { states: states.length, checked: 0, violations: [] }
  for (const state of states) {
    if (chosen() * states.length >= checksMax) continue
    found.checked += 1
    const problem = await problemAfter(state, dir, before)
    if (problem !== null) found.violations.push(`${state.how} after ${state.after}: ${problem}`)
  }
  return found
}

async function problemAfter(state: CrashState, dir: string, before: Map<string, string>): Promise<string | null> {
  const top = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
  const home = homeIn(join(top, 'home'))
  try {
    for (const path of ['agents/main/sessions', 'holdfast/archives'])
      mkdirSync(join(home.dir, path), { recursive: true })
    for (const [path, content] of state.files()) {
      if (!path.startsWith(`${dir}/`)) continue
      const to = join(home.dir, relative(dir, path))
      mkdirSync(dirname(to), { recursive: true })
      writeFileSync(to, content)
    }
    {
      await using run = beginRun(home, 'repair', { clock })
      await run.hold()
    }
    for (const run of await listRuns(home.dir)) {
      const how = {
        clock,
        gatewayNow: async () => ({ state: 'stopped' as const, proof: 'the power went' }),
        dryRun: false,
        only: null,
      }
      const left = (await undoRun(home, run, how)).steps.find(({ done }) => !done)
      if (left !== undefined) return `${left.path}: ${left.left}`
    }
    const after = contentsOf(home.dir)
    const names = new Set([...before.keys(), ...after.keys()])
    return [...names].find((name) => before.get(name) !== after.get(name)) ?? null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    rmSync(top, { recursive: true })
  }
}
