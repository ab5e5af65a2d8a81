import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { isSystemError } from '../files.ts'
import { untrustedFilesystemOf } from '../filesystem.ts'
import type {
  FileId,
  MountFacts,
  OpenFileFacts,
  OwnView,
  ProcessDetails,
  ProcessFacts,
  ProcessTable,
} from '../processes.ts'
import { fileIdOf, orNull } from './file-id.ts'
import {
  bootedAtOf,
  containerOf,
  hidesOthers,
  type Mount,
  mountAt,
  parseBootOffset,
  parseCmdline,
  parseEnviron,
  parseMounts,
  parseStat,
  parseStatus,
  tickMs,
} from './proc-text.ts'

/** The event loop gets its turn after this long. Unit: ms. */
const sliceMs = 4
/** Of a command line; titles and the words that matter come first. */
const argvBytesMax = 16 * 1024
const environBytesMax = 1024 ** 2
const openFilesMax = 4_096
/** Of the pid namespace that a machine begins with (linux/proc_ns.h): every process has a place in it. */
const firstPidNamespace = 'pid:[4026531836]'
/** What was made at boot keeps the time of then; more between the two is a clock that was set. Unit: ms. */
const anchorMs = 5 * 60_000

/** All processes that `/proc` shows. @throws Error where there is no `/proc` */
export async function readLinuxProcesses(): Promise<ProcessTable> {
  const readAtMs = Date.now()
  const mounts = parseMounts(readText('/proc/self/mountinfo') ?? '')
  const bootedAtMs = bootedAtOf(readText('/proc/stat') ?? '')
  const processes: ProcessFacts[] = []
  let sinceMs = performance.now()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const facts = readProcess(Number(name), bootedAtMs)
    if (facts !== null) processes.push(facts)
    if (performance.now() - sinceMs < sliceMs) continue
    await setImmediate()
    sinceMs = performance.now()
  }
  return {
    system: 'linux',
    readAtMs,
    own: ownView(mounts),
    processes,
    bootedAtMs,
    doubtMs: doubtOf(bootedAtMs),
    look: lookInto,
    fileAt,
    again: (pid) => readProcess(pid, bootedAtMs),
    mountOf: (path) => mountOf(mounts, path),
  }
}

/** null: it has ended meanwhile. */
function readProcess(pid: number, bootedAtMs: number | null): ProcessFacts | null {
  const text = readText(`/proc/${pid}/stat`)
  const stat = text === null ? null : parseStat(text)
  if (stat === null) return isThere(pid) ? unseenProcess(pid) : null
  const known = {
    pid,
    parent: stat.parent,
    state: stat.state,
    kernel: stat.kernel,
    name: stat.name,
    startTicks: stat.startTicks,
    startedAtMs: bootedAtMs === null ? null : bootedAtMs + stat.startTicks * tickMs,
    cpuMs: stat.cpuTicks * tickMs,
  }
  // These are many, and nothing more is asked of them.
  if (stat.kernel) {
    const nothing = { argv: [], pidNamespace: null, timeNamespace: null, ownStartTicks: null }
    return { ...known, uid: 0, ids: [pid], ...nothing }
  }
  const timeNamespace = readLink(`/proc/${pid}/ns/time`)
  const { uid, ids } = parseStatus(readText(`/proc/${pid}/status`) ?? '')
  return {
    ...known,
    uid,
    ids: ids.length === 0 ? [pid] : ids,
    argv: parseCmdline(readText(`/proc/${pid}/cmdline`, argvBytesMax) ?? ''),
    pidNamespace: readLink(`/proc/${pid}/ns/pid`),
    timeNamespace,
    ownStartTicks: ownTicks(pid, stat.startTicks, timeNamespace),
  }
}

/**
 * A time namespace moves the boot of the processes in it. One that is not ours to see is taken for our own: it hardly ever is another.
 */
function ownTicks(pid: number, startTicks: number, timeNamespace: string | null): number | null {
  if (timeNamespace === null || timeNamespace === readLink('/proc/self/ns/time')) return startTicks
  // The offsets are those of the namespace that its children will have.
  if (timeNamespace !== readLink(`/proc/${pid}/ns/time_for_children`)) return null
  const [own, here] = [pid, 'self'].map((each) => parseBootOffset(readText(`/proc/${each}/timens_offsets`) ?? ''))
  return own === undefined || here === undefined || own === null || here === null ? null : startTicks + own - here
}

/** `hidepid=1` shows the number and nothing else. */
function unseenProcess(pid: number): ProcessFacts {
  const nothing = {
    uid: null,
    startTicks: null,
    ownStartTicks: null,
    startedAtMs: null,
    cpuMs: null,
    pidNamespace: null,
    timeNamespace: null,
  }
  return { pid, ids: [pid], parent: 0, state: '?', kernel: false, name: '', argv: [], ...nothing }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return isSystemError(error, 'EPERM') // it is somebody else's
  }
}

function ownView(mounts: readonly Mount[]): OwnView {
  const uid = process.geteuid?.() ?? null
  const pidNamespace = readLink('/proc/self/ns/pid')
  return {
    pid: process.pid,
    uid,
    pidNamespace,
    timeNamespace: readLink('/proc/self/ns/time'),
    unseen: unseenOf(mounts, uid, pidNamespace),
  }
}

function unseenOf(mounts: readonly Mount[], uid: number | null, pidNamespace: string | null): OwnView['unseen'] {
  if (readLink('/proc/self') !== String(process.pid))
    return { whose: 'outside', because: '/proc shows the processes of another container than this' }
  if (pidNamespace !== firstPidNamespace)
    return { whose: 'outside', because: 'this runs in a container, and processes outside of it are not seen' }
  if (uid !== 0 && hidesOthers(mounts))
    return { whose: 'others', because: '/proc hides the processes of other users (hidepid)' }
  return null
}

/**
 * Start times are counted from boot, and `btime` follows a clock that is set or a machine that is moved to another one. So two witnesses
 * are asked: this process, which knows when it began, and what the kernel made while it booted.
 */
function doubtOf(bootedAtMs: number | null): number {
  const own = parseStat(readText('/proc/self/stat') ?? '')
  const made = ['/sys', '/dev/null', '/proc/1'].flatMap(
    (path) => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? [],
  )
  if (bootedAtMs === null || own === null || made.length === 0) return Number.POSITIVE_INFINITY
  const beganDoubt = Math.abs(bootedAtMs + own.startTicks * tickMs - performance.timeOrigin)
  const bootedAfter = Math.min(...made) - bootedAtMs
  return bootedAfter > anchorMs ? Number.POSITIVE_INFINITY : Math.max(beganDoubt, -bootedAfter)
}

function lookInto(pid: number, variables: readonly string[]): ProcessDetails | null {
  const names = readNames(`/proc/${pid}/fd`)
  const environ = readText(`/proc/${pid}/environ`, environBytesMax)
  if (names === null || environ === null) return null
  return {
    environment: parseEnviron(environ, variables),
    program: readLink(`/proc/${pid}/exe`),
    cwd: readLink(`/proc/${pid}/cwd`),
    container: containerOf(readText(`/proc/${pid}/cgroup`) ?? ''),
    openFiles: names.slice(0, openFilesMax).flatMap((name) => openFile(pid, name)),
    cut: names.length > openFilesMax,
  }
}

function openFile(pid: number, name: string): OpenFileFacts[] {
  const path = readLink(`/proc/${pid}/fd/${name}`)
  if (path === null || !path.startsWith('/')) return []
  // A look at a file may wait for a network that is gone, so it is kept to those that matter.
  if (!path.endsWith('.lock')) return [{ path, file: null, writes: false }]
  const flags = /^flags:\s*([0-7]+)$/m.exec(readText(`/proc/${pid}/fdinfo/${name}`) ?? '')?.[1] ?? '0'
  return [{ path, file: fileIdOf(`/proc/${pid}/fd/${name}`), writes: (Number.parseInt(flags, 8) & 3) !== 0 }]
}

function fileAt(pid: number, path: string): FileId | null {
  return fileIdOf(pid === process.pid ? path : `/proc/${pid}/root${path}`)
}

function mountOf(mounts: readonly Mount[], path: string): MountFacts {
  return { point: mountAt(mounts, path)?.point ?? null, shared: orNull(() => untrustedFilesystemOf(path)) }
}

function readText(path: string, bytesMax = 64 * 1024): string | null {
  return orNull(() => {
    const fd = openSync(path, 'r')
    try {
      const chunks: Buffer[] = []
      for (let bytes = 0; bytes < bytesMax; ) {
        const chunk = Buffer.alloc(Math.min(bytesMax - bytes, 16 * 1024))
        const read = readSync(fd, chunk, 0, chunk.length, null)
        if (read === 0) break
        chunks.push(chunk.subarray(0, read))
        bytes += read
      }
      return Buffer.concat(chunks).toString('utf8')
    } finally {
      closeSync(fd)
    }
  })
}

function readLink(path: string): string | null {
  return orNull(() => readlinkSync(path))
}

function readNames(path: string): string[] | null {
  return orNull(() => readdirSync(path))
}
