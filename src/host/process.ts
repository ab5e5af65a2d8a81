import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Holder } from '../model/holders.ts'
import { parseStat } from './processes/proc-text.ts'
import { randomId } from './random.ts'

/** Who this process is, for leases and for the owner file. */
export function currentHolder(nowMs: number): Holder {
  return {
    id: randomId(),
    host: hostname(),
    bootId: readOrNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOrNull(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    startTicks: readOrNull(() => startTicksOf(readFileSync('/proc/self/stat', 'utf8'))),
    sinceMs: nowMs,
  }
}

/** Options that decide how a thread finds, loads and reports on its modules. */
const moduleOptions =
  /^(-C|-r|--(conditions|import|require|loader|experimental-\w[\w-]*|no-experimental-\w[\w-]*|preserve-symlinks(-main)?|enable-source-maps|permission|allow-[\w-]+|(no|trace|disable)-warnings?|(no|trace)-deprecation))(=|$)/
/** Those of them whose value may be the next argument. */
const valued = /^(-C|-r|--(conditions|import|require|loader|experimental-loader|disable-warning))$/

/**
 * The options of a process that its threads need. V8's options hold for the whole process, and a thread that is given one of them, or
 * another that is the process's own (`--max-old-space-size`, `--title`), is refused by Node.
 */
export function threadOptions(execArgv: readonly string[]): string[] {
  return execArgv.filter((option, at) => moduleOptions.test(option) || valued.test(execArgv[at - 1] ?? ''))
}

export type ProcessState = 'runs' | 'has ended' | 'cannot be seen'

/** Whether the process that is written down there still runs: judged by boot, namespace, id and start, where the system tells them. */
export function stateOf(holder: Pick<Holder, 'host' | 'bootId' | 'pidNamespace' | 'pid' | 'startTicks'>): ProcessState {
  const here = currentHolder(0)
  if (holder.host !== here.host) return 'cannot be seen'
  if (holder.bootId !== here.bootId) return 'has ended'
  if (holder.pidNamespace !== here.pidNamespace) return 'cannot be seen'
  if (here.startTicks === null) return isThere(holder.pid) ? 'runs' : 'has ended'
  const stat = readOrNull(() => readFileSync(`/proc/${holder.pid}/stat`, 'utf8'))
  return stat !== null && startTicksOf(stat) === holder.startTicks ? 'runs' : 'has ended'
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it is somebody else's
  }
}

function startTicksOf(stat: string): number | null {
  return parseStat(stat)?.startTicks ?? null
}

/** These facts exist on Linux only; elsewhere their absence is the fact. */
function readOrNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EINVAL' || code === 'ENOSYS' || code === 'ESRCH')
      return null
    throw error
  }
}
