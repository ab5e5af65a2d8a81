import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Holds locks as releases do: each file is made for it alone, written and kept open. Takes those that its arguments name, keeps other
 * files open, gives itself a title, and says when it has them.
 */
const holds = `const fs = require('fs')
const { HELD_FOR_MS, KEEPS_OPEN, CLOSES, SPINS } = process.env
const stat = fs.readFileSync('/proc/self/stat', 'utf8')
const starttime = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
const at = new Date(Date.now() - Number(HELD_FOR_MS ?? 0))
for (const path of (KEEPS_OPEN ?? '').split(' ').filter(Boolean)) fs.openSync(path, 'a')
for (const path of process.argv.slice(1)) {
  const fd = fs.openSync(path, 'wx')
  fs.writeSync(fd, JSON.stringify({ pid: process.pid, createdAt: at.toISOString(), maxHoldMs: 300000, starttime }, null, 2))
  fs.futimesSync(fd, at, at)
  if (CLOSES) fs.closeSync(fd)
}
process.title = 'openclaw'
console.log('held')
if (SPINS) { const until = Date.now() + 20000; while (Date.now() < until); }
setInterval(() => {}, 1e6)`

export interface HolderPlan {
  locks: readonly string[]
  /** Words before it: those of a container. */
  around?: readonly string[]
  env?: Partial<Record<'HELD_FOR_MS' | 'KEEPS_OPEN' | 'CLOSES' | 'SPINS', string>>
}

/** A real process that has these locks when this resolves. */
export async function startHolder({ locks, around = [], env = {} }: HolderPlan): Promise<ChildProcess> {
  const [program = '', ...args] = [...around, process.execPath, '-e', holds, ...locks]
  const variables = { PATH: process.env.PATH ?? '', ...env }
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: variables })
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`)))
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended])
  ended.catch(() => {})
  return child
}

/** A process that says of itself that it is the gateway of this home, until it is disposed of. */
export async function startTitled(dir: string): Promise<AsyncDisposable> {
  const words = ['-e', 'process.title = "openclaw-gateway"; console.log(1); setInterval(() => {}, 1e9)']
  const child = spawn(process.execPath, words, {
    env: { PATH: process.env.PATH, OPENCLAW_STATE_DIR: dir },
    argv0: 'openclaw-gateway',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await once(child, 'close')
    },
  }
}

/**
 * Words that run, in a container, one process 15 that takes locks and is killed, and then a gateway that is process 7 and has one. The
 * number that the next process gets can be said inside a pid namespace.
 */
export function orphansBesideGateway(orphans: readonly string[], lock: string): string[] {
  const script = `next() { echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid; }
    next 15; "$1" -e "$2" $3 & while ! [ -s $4 ]; do sleep 0.05; done; kill -9 $!; wait
    next 7; "$1" -e "$2" $5 & wait`
  return ['bash', '-c', script, 'bash', process.execPath, holds, orphans.join(' '), orphans.at(-1) ?? '', lock]
}
