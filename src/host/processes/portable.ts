import type { ProcessFacts, ProcessTable } from '../processes.ts'
import { fileIdOf } from './file-id.ts'

/** Runs a program of the system, with these variables added to its environment. What it printed; null when it is missing or has failed. */
export type Ask = (
  program: string,
  args: readonly string[],
  variables: Record<string, string>,
) => Promise<string | null>

/** `lstart` is told in whole seconds. */
const doubtMs = 1_000

/** All processes as the system's own tools list them. Where even those fail, none is listed and `own.unseen` says so. */
export async function readPortableProcesses(system: NodeJS.Platform, ask: Ask): Promise<ProcessTable> {
  const readAtMs = Date.now()
  const read = system === 'win32' ? readWindows : readPs
  const { processes, bootedAtMs } = await read(ask)
  const because = `the list of processes could not be read (${system === 'win32' ? 'PowerShell, tasklist' : 'ps'})`
  const unseen = processes === null ? { whose: 'outside' as const, because } : null
  const pid = process.pid
  return {
    system,
    readAtMs,
    own: { pid, uid: process.geteuid?.() ?? null, pidNamespace: null, timeNamespace: null, unseen },
    processes: processes ?? [],
    bootedAtMs,
    doubtMs,
    look: () => null,
    fileAt: (_, path) => fileIdOf(path), // every process sees the same files
    again: (pid) => processes?.find((each) => each.pid === pid) ?? null,
    mountOf: () => ({ point: null, shared: null }),
  }
}

interface Listing {
  processes: ProcessFacts[] | null
  bootedAtMs: number | null
}

/** macOS and the BSDs. Times in UTC and in English, so that they can be read. */
async function readPs(ask: Ask): Promise<Listing> {
  const plain = { LC_ALL: 'C', TZ: 'UTC' }
  const listed = await ask('ps', ['-axww', '-o', 'pid=,ppid=,uid=,state=,lstart=,time=,command='], plain)
  const boottime = await ask('sysctl', ['-n', 'kern.boottime'], plain)
  return { processes: listed === null ? null : parsePs(listed), bootedAtMs: parseBoottime(boottime ?? '') }
}

const psLine = /^\s*(\d+)\s+(\d+)\s+(-?\d+)\s+(\S+)\s+\w{3}\s+(\w{3})\s+(\d+)\s+([\d:]+)\s+(\d{4})\s+([\d:.-]+)\s*(.*)$/

/** Lines of `pid ppid uid state lstart time command`. Words of a command line are not told apart from spaces inside of them. */
export function parsePs(text: string): ProcessFacts[] {
  return text.split('\n').flatMap((line) => {
    const fields = psLine.exec(line)
    if (fields === null) return []
    const [, pid, parent, uid, state = '?', month, day, time, year, cpu = '', command = ''] = fields
    const startedAtMs = Date.parse(`${day} ${month} ${year} ${time} UTC`)
    return factsOf(
      Number(pid),
      Number(parent),
      Number(uid),
      state.slice(0, 1),
      startedAtMs,
      cpuMsOf(cpu),
      command.split(/\s+/),
    )
  })
}

/** `1-02:03:04`, `3:04.05`. */
function cpuMsOf(text: string): number | null {
  const [clock = '', days = '0'] = text.split('-').reverse()
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  const ms = Math.round((Number(days) * 86_400 + seconds) * 1_000)
  return Number.isFinite(ms) ? ms : null
}

/** `{ sec = 1795659128, usec = 0 } Thu Nov 26 …` */
export function parseBoottime(text: string): number | null {
  const seconds = /sec = (\d+)/.exec(text)?.[1]
  return seconds === undefined ? null : Number(seconds) * 1_000
}

const powershell = `[Console]::OutputEncoding = [Text.Encoding]::UTF8
$time = { param($at) if ($at) { $at.ToUniversalTime().ToString('o') } }
$all = Get-CimInstance Win32_Process | ForEach-Object { [pscustomobject]@{ pid = $_.ProcessId; parent = $_.ParentProcessId
  started = (& $time $_.CreationDate); cpu = ($_.KernelModeTime + $_.UserModeTime) / 10000; name = $_.Name; command = $_.CommandLine } }
@{ boot = (& $time (Get-CimInstance Win32_OperatingSystem).LastBootUpTime); processes = @($all) } | ConvertTo-Json -Compress -Depth 3`

async function readWindows(ask: Ask): Promise<Listing> {
  const told = await ask('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', powershell], {})
  const listing = told === null ? null : parsePowershell(told)
  if (listing !== null) return listing
  const listed = await ask('tasklist.exe', ['/FO', 'CSV', '/NH'], {})
  return { processes: listed === null ? null : parseTasklist(listed), bootedAtMs: null }
}

/** null where it is not the JSON that was asked for. */
export function parsePowershell(text: string): Listing | null {
  let told: { boot?: unknown; processes?: unknown }
  try {
    told = JSON.parse(text.slice(text.indexOf('{')))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  if (!Array.isArray(told.processes)) return null
  const processes = told.processes.flatMap((each: Record<string, unknown>) => {
    const startedAtMs = typeof each.started === 'string' ? Date.parse(each.started) : Number.NaN
    const cpuMs = typeof each.cpu === 'number' ? Math.round(each.cpu) : null
    const words = typeof each.command === 'string' ? windowsWords(each.command) : [String(each.name ?? '')]
    return factsOf(Number(each.pid), Number(each.parent), null, '?', startedAtMs, cpuMs, words)
  })
  const boot = typeof told.boot === 'string' ? Date.parse(told.boot) : Number.NaN
  return { processes, bootedAtMs: Number.isNaN(boot) ? null : boot }
}

/** `"node.exe","4321","Console","1","52,000 K"`: no start times, so that nothing is said to be another process. */
export function parseTasklist(text: string): ProcessFacts[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name = '', pid = ''] = /^"([^"]*)","(\d+)"/.exec(line) ?? []
    return pid === '' ? [] : factsOf(Number(pid), 0, null, '?', Number.NaN, null, [name])
  })
}

function windowsWords(command: string): string[] {
  return (command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''))
}

function factsOf(
  pid: number,
  parent: number,
  uid: number | null,
  state: string,
  startedAtMs: number,
  cpuMs: number | null,
  words: readonly string[],
): ProcessFacts[] {
  if (!Number.isSafeInteger(pid) || pid < 0) return []
  const argv = words.filter((word) => word !== '')
  return [
    {
      pid,
      ids: [pid],
      parent: Number.isSafeInteger(parent) ? parent : 0,
      uid,
      state,
      kernel: false,
      name: argv[0]?.split(/[/\\]/).at(-1) ?? '',
      argv,
      startTicks: null,
      ownStartTicks: null,
      startedAtMs: Number.isNaN(startedAtMs) ? null : startedAtMs,
      cpuMs,
      pidNamespace: null,
      timeNamespace: null,
    },
  ]
}
