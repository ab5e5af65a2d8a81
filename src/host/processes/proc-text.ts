/** Texts under `/proc` (proc(5)), as facts. Every reader takes what it does not know for absent and throws nothing. */

/** USER_HZ of every architecture that Node runs on. */
const ticksPerSecond = 100
export const tickMs = 1_000 / ticksPerSecond

/** PF_KTHREAD of linux/sched.h. */
const kernelFlag = 0x00200000

export interface Stat {
  name: string
  state: string
  parent: number
  kernel: boolean
  cpuTicks: number
  /** Field 22. */
  startTicks: number
}

/** `/proc/<pid>/stat`; the name in its second field may hold spaces and parentheses. */
export function parseStat(text: string): Stat | null {
  const from = text.indexOf('(')
  const to = text.lastIndexOf(')')
  const fields = text
    .slice(to + 2)
    .trim()
    .split(' ')
  if (from < 0 || to < from || fields.length < 20) return null
  const field = (number: number) => Number(fields[number - 3])
  return {
    name: text.slice(from + 1, to),
    state: fields[0] ?? '?',
    parent: field(4),
    kernel: (field(9) & kernelFlag) !== 0,
    cpuTicks: field(14) + field(15),
    startTicks: field(22),
  }
}

/** `/proc/<pid>/status`: the effective user and the ids from our namespace inwards. Kernels before 4.1 do not tell the latter. */
export function parseStatus(text: string): { uid: number | null; ids: number[] } {
  const uid = /^Uid:\t\d+\t(\d+)/m.exec(text)?.[1]
  const ids = /^NSpid:((?:\t\d+)+)$/m.exec(text)?.[1] ?? ''
  return {
    uid: uid === undefined ? null : Number(uid),
    ids: ids.trim() === '' ? [] : ids.trim().split('\t').map(Number),
  }
}

/** `/proc/<pid>/cmdline`. A title that a process gave itself stands in place of the words and is padded with zeros. */
export function parseCmdline(text: string): string[] {
  return text.split('\0').filter((word) => word !== '')
}

/** Of `/proc/<pid>/environ` only what is named: it is full of credentials. */
export function parseEnviron(text: string, names: readonly string[]): Record<string, string> {
  const wanted = new Set(names)
  const found: Record<string, string> = {}
  for (const pair of text.split('\0')) {
    const at = pair.indexOf('=')
    if (at > 0 && wanted.has(pair.slice(0, at))) found[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return found
}

/** Of `/proc/<pid>/cgroup`: Docker, Podman, containerd and CRI-O have an id of 64 digits there, LXC and nspawn a name. */
export function containerOf(text: string): string | null {
  const id = /[/-]([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m.exec(text)?.[1]
  if (id !== undefined) return id.slice(0, 12)
  return (
    /\/(?:lxc(?:\.payload)?[/.]|machine\.slice\/(?:systemd-nspawn@|machine-))([\w.@-]+?)(?:\.service|\.scope)?(?:\/|$)/m.exec(
      text,
    )?.[1] ?? null
  )
}

export interface Mount {
  point: string
  /** Options of the file system itself. */
  options: string
}

/** `/proc/self/mountinfo`, in the order of mounting. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ')
    const dash = fields.indexOf('-', 6)
    const point = fields[4]
    return dash < 0 || point === undefined ? [] : [{ point: unescaped(point), options: fields[dash + 3] ?? '' }]
  })
}

/** Spaces, tabs and line feeds are written `\040`. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** The one that a path lies on: the longest point, and of equal ones the last, which covers those before it. */
export function mountAt(mounts: readonly Mount[], path: string): Mount | null {
  const covers = ({ point }: Mount) => point === '/' || path === point || path.startsWith(`${point}/`)
  return mounts.filter(covers).reduce<Mount | null>((best, each) => {
    return best === null || each.point.length >= best.point.length ? each : best
  }, null)
}

/** Whether `/proc` hides what other users run: 0 of `hidepid` hides nothing. */
export function hidesOthers(mounts: readonly Mount[]): boolean {
  const value = /(?:^|,)hidepid=(\w+)/.exec(mountAt(mounts, '/proc')?.options ?? '')?.[1]
  return value !== undefined && value !== '0' && value !== 'off'
}

/** `/proc/<pid>/timens_offsets`: by how many ticks its boot is moved. null where that is no whole number of ticks. */
export function parseBootOffset(text: string): number | null {
  const [, seconds, nanoseconds] = /^boottime\s+(-?\d+)\s+(\d+)$/m.exec(text) ?? []
  const ticks = Number(seconds) * ticksPerSecond + Number(nanoseconds) / (1e9 / ticksPerSecond)
  return Number.isSafeInteger(ticks) ? ticks : null
}

/** `btime` of `/proc/stat`. */
export function bootedAtOf(text: string): number | null {
  const seconds = /^btime (\d+)$/m.exec(text)?.[1]
  return seconds === undefined ? null : Number(seconds) * 1_000
}
