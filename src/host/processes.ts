/**
 * Who runs on this machine, as data: what a decision about a process is made from. Reading it changes nothing, and asks no process
 * for leave. What this user may not see is null or absent, and `own.unseen` says that there may be more.
 */
export interface ProcessTable {
  system: NodeJS.Platform
  /** A process that began later is not in it. Unit: ms since 1970. */
  readAtMs: number
  own: OwnView
  processes: readonly ProcessFacts[]
  bootedAtMs: number | null
  /**
   * By how much `startedAtMs` may lie after the time that a clock on the wall showed then: clocks are set, and a machine may sleep
   * or be moved while it runs. Infinity: start times must not be compared with times that were written down. Unit: ms.
   */
  doubtMs: number
  /** More about one process, with those variables of its environment that are named. null: it has ended, or is not ours to look into. */
  look(pid: number, variables: readonly string[]): ProcessDetails | null
  /** Which file a path is for that process: containers and chroots see other trees. null where that cannot be told. */
  fileAt(pid: number, path: string): FileId | null
  /** The same process read anew; null: it has ended. Facts that cost nothing only. */
  again(pid: number): ProcessFacts | null
  mountOf(path: string): MountFacts
}

/** What this process can see of others, and what it cannot. */
export interface OwnView {
  pid: number
  uid: number | null
  pidNamespace: string | null
  timeNamespace: string | null
  /** null: every process of this kernel is seen. `others`: those of other users are hidden; `outside`: those outside of this container. */
  unseen: { whose: 'others' | 'outside'; because: string } | null
}

/** What everybody may know of a process. */
export interface ProcessFacts {
  /** Here. */
  pid: number
  /** Its id in each pid namespace from ours inwards: the last is the one that it knows itself by. */
  ids: readonly number[]
  parent: number
  uid: number | null
  /** One letter as ps(1) has it: R, S, D, T; Z has ended and waits to be collected. `?` where it is not told. */
  state: string
  /** Part of the kernel. */
  kernel: boolean
  /** At most 15 characters; a process may choose it. */
  name: string
  /** A process that gives itself a title has no other words left. Empty: not to be seen. */
  argv: readonly string[]
  /** Field 22 of `/proc/<pid>/stat`: since boot, in hundredths of a second. null off Linux. */
  startTicks: number | null
  /** The same as the process sees it, and writes it down: a time namespace moves its boot. null: cannot be told. */
  ownStartTicks: number | null
  startedAtMs: number | null
  /** That it has used so far. Unit: ms. */
  cpuMs: number | null
  pidNamespace: string | null
  timeNamespace: string | null
}

/** What is told only to the same user and to root. */
export interface ProcessDetails {
  environment: Readonly<Record<string, string>>
  program: string | null
  cwd: string | null
  /** Of the container that its control group names. */
  container: string | null
  openFiles: readonly OpenFileFacts[]
  /** It has more of them open than are listed. */
  cut: boolean
}

export interface OpenFileFacts {
  /** As the kernel names it: for a process of a container often a path inside of it. */
  path: string
  /** Known for names that end in `.lock`. */
  file: FileId | null
  /** It may write to it; known where `file` is. */
  writes: boolean
}

export interface FileId {
  dev: bigint
  ino: bigint
}

export interface MountFacts {
  /** Where the file system of a path is mounted here; null where it is not told. */
  point: string | null
  /** The kind of a file system that other machines may write to as well: `nfs`. null: none that is known. */
  shared: string | null
}

export function sameFile(a: FileId, b: FileId): boolean {
  return a.dev === b.dev && a.ino === b.ino
}
