import { dirname, join } from 'node:path'
import {
  type FileId,
  type ProcessDetails,
  type ProcessFacts,
  type ProcessTable,
  sameFile,
} from '../../host/processes.ts'
import { isRuntime, type Program, programOf } from './program.ts'

/** A process that works on a home, and how that is known. */
export interface HomeUser {
  process: ProcessFacts
  details: ProcessDetails
  program: Program
  /** For people: `it has …/tasks/runs.sqlite open`. */
  because: string
}

/** Everybody who may have a lock of one home: facts, from which verdicts are made. */
export interface HomeProcesses {
  table: ProcessTable
  users: readonly HomeUser[]
  /** OpenClaw, and processes that may be it; others are not among them. null: not ours to look into. */
  looked: ReadonlyMap<number, ProcessDetails | null>
  /** By the id that each knows itself by. */
  byId: ReadonlyMap<number, readonly ProcessFacts[]>
  /** Who has which lock file open for writing, by device and inode. */
  writers: ReadonlyMap<string, ProcessFacts>
  /** Why a process that is not seen may be there all the same; null: who is not seen is not there. */
  blind: Blindness | null
}

interface Blindness {
  because: string
  /** Whoever is not seen ended when this machine booted, at the latest. */
  sameMachine: boolean
}

const variables = [
  'HOME',
  'OPENCLAW_HOME',
  'OPENCLAW_STATE_DIR',
  'OPENCLAW_PROFILE',
  'CLAWDBOT_STATE_DIR',
  'MOLTBOT_STATE_DIR',
] as const
const stateDirectories = ['OPENCLAW_STATE_DIR', 'CLAWDBOT_STATE_DIR', 'MOLTBOT_STATE_DIR'] as const
const gatewayLock = /\/gateway\.(?:[0-9a-f]{8}|state)\.lock$/
/** Files that a gateway keeps open in its state directory. */
const keptOpen = /\/(?:tasks\/runs|state\/openclaw)\.sqlite(?:-wal|-shm)?$/
/** Paths of open files that may lie in a home, so that others need not be looked at: that may wait for a network that is gone. */
const likely = /openclaw|clawdbot|moltbot|\/agents\/|\/sessions\/|\/state\/|\/tasks\/|\.jsonl|\.sqlite|\.lock$/

/** Looks, among all processes, for those that work on a home. Changes nothing. */
export function processesOf(home: { dir: string }, table: ProcessTable): HomeProcesses {
  const looked = new Map<number, ProcessDetails | null>()
  const users: HomeUser[] = []
  const writers = new Map<string, ProcessFacts>()
  const homeId = table.fileAt(table.own.pid, home.dir)
  for (const process of table.processes) {
    const program = programOf(process)
    if (process.kernel || process.state === 'Z') continue
    if (program === 'other' && !isRuntime(process.name) && !isRuntime(nameOf(process))) continue
    const details = table.look(process.pid, variables)
    looked.set(process.pid, details)
    if (details === null) continue
    for (const { file, writes } of details.openFiles) if (file !== null && writes) writers.set(fileKey(file), process)
    if (homeId === null) continue
    const because = howItUses(process, program, details, new Tree(table, process.pid, homeId))
    if (because === null) continue
    const holdsLock = details.openFiles.some(({ path, writes }) => writes && gatewayLock.test(path))
    users.push({ process, details, program: holdsLock ? 'gateway' : program, because })
  }
  const byId = Map.groupBy(table.processes, ({ pid, ids }) => ids.at(-1) ?? pid)
  return { table, users, looked, byId, writers, blind: blindness(home.dir, table) }
}

export function fileKey({ dev, ino }: FileId): string {
  return `${dev}:${ino}`
}

function nameOf({ argv }: ProcessFacts): string {
  return argv[0]?.split(/[/\\]/).at(-1) ?? ''
}

/** The directories of one process: which of them lie in the home, as that process sees them. */
class Tree {
  readonly #table: ProcessTable
  readonly #pid: number
  readonly #home: FileId
  readonly #known = new Map<string, boolean>()

  constructor(table: ProcessTable, pid: number, home: FileId) {
    this.#table = table
    this.#pid = pid
    this.#home = home
  }

  isHome(path: string): boolean {
    const id = this.#table.fileAt(this.#pid, path)
    return id !== null && sameFile(id, this.#home)
  }

  isInside(path: string): boolean {
    const known = this.#known.get(path)
    if (known !== undefined) return known
    const parent = dirname(path)
    const inside = this.isHome(path) || (parent !== path && this.isInside(parent))
    this.#known.set(path, inside)
    return inside
  }
}

function howItUses(process: ProcessFacts, program: Program, details: ProcessDetails, tree: Tree): string | null {
  const { environment, openFiles, cwd } = details
  const open = openFiles.find(({ path }) => likely.test(path) && tree.isInside(dirname(path)))
  if (open !== undefined) return `it has ${open.path} open`
  const named = stateDirectories.find((name) => (environment[name] ?? '').trim() !== '')
  if (program !== 'other' && named !== undefined)
    return tree.isHome(absolute(environment[named] ?? '', details)) ? `its ${named} is this home` : null
  if (cwd !== null && likely.test(`${cwd}/`) && tree.isInside(cwd)) return `it works in ${cwd}`
  if (program === 'other' || openFiles.some(({ path }) => keptOpen.test(path))) return null // those are of another home
  const byDefault = defaultDirectories(process, details).find((path) => tree.isHome(path))
  return byDefault === undefined ? null : `${byDefault} is the home of its user`
}

function defaultDirectories({ argv }: ProcessFacts, details: ProcessDetails): string[] {
  const { HOME = '', OPENCLAW_HOME = '', OPENCLAW_PROFILE } = details.environment
  const home = OPENCLAW_HOME === '' ? HOME : absolute(OPENCLAW_HOME, details)
  if (!home.startsWith('/')) return []
  const asked = argv[argv.indexOf('--profile') + 1]
  const profile = argv.includes('--dev') ? 'dev' : argv.includes('--profile') ? asked : OPENCLAW_PROFILE
  if (profile !== undefined && profile !== '' && profile !== 'default') return [join(home, `.openclaw-${profile}`)]
  return ['.openclaw', '.clawdbot', '.moltbot'].map((name) => join(home, name))
}

function absolute(text: string, { environment: { HOME = '/' }, cwd }: ProcessDetails): string {
  const path = text.trim().replace(/^~(?=\/|$)/, HOME)
  return path.startsWith('/') ? path : join(cwd ?? '/', path)
}

/** Programs that let another kernel write to directories of this one, and the sandboxes that have a kernel of their own. */
const machines = /^(?:virtiofsd|qemu-.*|kvm|cloud-hypervisor|crosvm|firecracker)$/
const sandboxes = /^(?:runsc.*|containerd-shim-(?:runsc|kata)-v\d+|kata-.*)$/

function blindness(dir: string, table: ProcessTable): Blindness | null {
  const { point, shared } = table.mountOf(dir)
  if (shared !== null)
    return { because: `the home lies on ${shared}, where other machines may write as well`, sameMachine: false }
  const { unseen } = table.own
  // What lies on the container's own root, and is no volume, is nobody else's.
  if (unseen !== null && !(unseen.whose === 'outside' && point === '/' && table.own.pidNamespace !== null))
    return { because: unseen.because, sameMachine: true }
  const other = table.processes.find((process) => {
    const name = nameOf(process)
    return sandboxes.test(name) || (machines.test(name) && process.argv.some((word) => sharesWith(word, dir)))
  })
  if (other === undefined) return null
  return {
    because: `process ${other.pid} (${nameOf(other)}) may let a machine of its own write there`,
    sameMachine: true,
  }
}

/** `--shared-dir=/srv`, `local,path=/home,…`: a path above the home. */
function sharesWith(word: string, dir: string): boolean {
  return word.split(/[=,]/).some((part) => part.startsWith('/') && (part === '/' || `${dir}/`.startsWith(`${part}/`)))
}
