import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Holder } from '../model/holders.ts'
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

/** Options that give Node a program on its command line; a thread, which has a file of its own, refuses some of them. */
const programOptions = /^(-e|-p|-pe|--eval|--print|--input-type)(=|$)/

/** The options of a process without the program that was given with them, for its threads. */
export function threadOptions(execArgv: readonly string[]): string[] {
  const belongs = (option: string | undefined) => option !== undefined && programOptions.test(option)
  return execArgv.filter((option, at) => {
    const before = execArgv[at - 1]
    return !belongs(option) && !(belongs(before) && !before?.includes('='))
  })
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

/** Field 22 of `/proc/<pid>/stat` (proc(5)); the command name before it may hold spaces and parentheses. */
function startTicksOf(stat: string): number {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2)
  return Number(afterName.split(' ')[19])
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
