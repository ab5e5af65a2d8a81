import type { FileId, OwnView, ProcessFacts } from '../../host/processes.ts'
import { commandOf, programOf } from './program.ts'
import { fileKey, type HomeProcesses } from './users.ts'

/** Who a lock file says that it belongs to. */
export interface Claim {
  file: FileId
  /** The process as it knows itself, so in its own pid namespace. */
  pid: number
  startTicks: number | null
  createdAtMs: number | null
  mtimeMs: number
}

export type Holding =
  | { verdict: 'live'; process: ProcessFacts; proof: string }
  | { verdict: 'dead' | 'recycled' | 'unknown'; process: null; proof: string }

/** A process that began later than a lock was written by more than this did not write it. Unit: ms. */
const afterwardsMs = 10_000

/** What one process is to a claim. `not`: it did not write it; `start`: its start is what says so. */
type Match = { is: 'holder' | 'perhaps' | 'not'; because: string; byStart?: true }

/**
 * Finds the process that a claim belongs to, among all that are seen. A process writes down the id that it knows itself by, so the
 * innermost of its ids counts; its start is compared where the claim names one, and else the time at which the claim was written. Nothing
 * is proven by what is not seen: see `HomeProcesses.blind`.
 */
export function holderOf(claim: Claim, around: HomeProcesses): Holding {
  const { table, blind } = around
  // Gateways of every release keep their lock files open while they hold them.
  const opener = around.writers.get(fileKey(claim.file))
  if (opener !== undefined) return live(opener, `${nameOf(opener)} has the lock file open for writing`)
  if (table.system !== 'linux' && claim.startTicks !== null)
    return unknown('it was written on Linux, by a container or another machine, and this is not that')
  const matches = (around.byId.get(claim.pid) ?? []).map((process) => ({ process, ...matchOf(claim, process, around) }))
  const holder = matches.find(({ is }) => is === 'holder')
  if (holder !== undefined) return live(holder.process, holder.because)
  const perhaps = matches.find(({ is }) => is === 'perhaps')
  if (perhaps !== undefined) return unknown(perhaps.because)
  if (blind !== null) return blindVerdict(claim, around, blind.because, blind.sameMachine)
  if (claim.mtimeMs > table.readAtMs) return unknown('it was written after the processes were listed')
  const recycled = matches.find(({ process, byStart }) => byStart && isNear(process, around))
  if (recycled !== undefined) return { verdict: 'recycled', process: null, proof: recycled.because }
  const [first] = matches
  const others =
    first === undefined ? '' : `; ${first.because}${matches.length > 1 ? `, and ${matches.length - 1} more` : ''}`
  return {
    verdict: 'dead',
    process: null,
    proof: `no process that may use this home has the id ${claim.pid}${others}${elsewhere(around)}`,
  }
}

function live(process: ProcessFacts, proof: string): Holding {
  return { verdict: 'live', process, proof }
}

function unknown(proof: string): Holding {
  return { verdict: 'unknown', process: null, proof }
}

function matchOf(claim: Claim, process: ProcessFacts, around: HomeProcesses): Match {
  const name = nameOf(process)
  if (process.kernel) return { is: 'not', because: `${name} is a part of the kernel` }
  if (process.state === 'Z') return { is: 'not', because: `${name} has ended and waits to be collected` }
  if (isFirst(process, around.table.own)) return { is: 'not', because: `${name} is the init of this machine` }
  return claim.startTicks === null ? byTime(claim, process, around) : byTicks(claim.startTicks, process, around)
}

/** Never the init of a container: that may well be a gateway. */
function isFirst({ pid, ids }: ProcessFacts, { unseen, pidNamespace }: OwnView): boolean {
  return pid === 1 && ids.length === 1 && pidNamespace !== null && unseen?.whose !== 'outside'
}

function byTicks(startTicks: number, process: ProcessFacts, { looked }: HomeProcesses): Match {
  const name = nameOf(process)
  const { startTicks: here, ownStartTicks: own, timeNamespace } = process
  if (here === null) return { is: 'perhaps', because: `when ${name} started cannot be seen from here` }
  if ((own ?? here) === startTicks)
    return { is: 'holder', because: `${name} started at tick ${startTicks}, as the lock says` }
  if (own === null)
    return {
      is: 'perhaps',
      because: `${name} counts its time from another boot (a time namespace), which cannot be told`,
    }
  if (timeNamespace === null && looked.get(process.pid) === null)
    return { is: 'perhaps', because: `${name} belongs to another user, and its namespaces are not ours to see` }
  return { is: 'not', byStart: true, because: `${name} started at tick ${own}, and the lock names ${startTicks}` }
}

function byTime(claim: Claim, process: ProcessFacts, around: HomeProcesses): Match {
  const { table, users, looked } = around
  const name = nameOf(process)
  const writtenMs = claim.createdAtMs ?? claim.mtimeMs
  const startedMs = process.startedAtMs
  if (startedMs === null) return { is: 'perhaps', because: `when ${name} started cannot be seen from here` }
  const began = `${name} started ${timeOf(startedMs)}, and the lock was written ${timeOf(writtenMs)}`
  const later = startedMs - table.doubtMs > writtenMs + afterwardsMs
  const program = programOf(process)
  const details = looked.get(process.pid) ?? null
  const isTold = details !== null && !details.cut
  if (users.some((user) => user.process.pid === process.pid)) {
    if (!later) return { is: 'holder', because: `${began}: it works on this home and has run since before` }
    if (isTold) return { is: 'not', byStart: true, because: `${began} and is not open in it` }
    return { is: 'perhaps', because: `${began}, but what it has open cannot be seen` }
  }
  if (later) return { is: 'not', byStart: true, because: began }
  if (program !== 'other' && isTold) return { is: 'not', because: `${name} works on another home` }
  if (table.system !== 'linux' && program !== 'other')
    return { is: 'holder', because: `${began}: it has run since before` }
  return { is: 'perhaps', because: `the lock names no start, and ${name} may have run when it was written` }
}

/** A lock from before the boot of this machine is nobody's, wherever its holder was; if the clock of then is to be believed. */
function blindVerdict(claim: Claim, { table }: HomeProcesses, because: string, sameMachine: boolean): Holding {
  const writtenMs = Math.max(claim.createdAtMs ?? 0, claim.mtimeMs)
  const { bootedAtMs, doubtMs } = table
  if (sameMachine && bootedAtMs !== null && writtenMs + afterwardsMs < bootedAtMs - doubtMs) {
    const proof = `it was written ${timeOf(writtenMs)}, and this machine booted ${timeOf(bootedAtMs)}`
    return { verdict: 'dead', process: null, proof }
  }
  return unknown(`no process seen from here has the id ${claim.pid}, but ${because}`)
}

/** In a pid namespace in which this home is used; where nobody uses it, in ours. */
function isNear(process: ProcessFacts, { users, table }: HomeProcesses): boolean {
  const near = users.filter(({ program }) => program !== 'other').map((user) => namespaceOf(user.process, table.own))
  return (near.length === 0 ? [namespaceOf(null, table.own)] : near).includes(namespaceOf(process, table.own))
}

function namespaceOf(process: ProcessFacts | null, own: OwnView): string {
  if (process === null || (process.pidNamespace === null && process.ids.length === 1)) return own.pidNamespace ?? 'own'
  return process.pidNamespace ?? `of ${process.pid}`
}

/** The gateway of the home, for comparison. */
function elsewhere({ users }: HomeProcesses): string {
  const gateway = users.find(({ program }) => program === 'gateway') ?? users.find(({ program }) => program !== 'other')
  return gateway === undefined ? '' : `; its gateway is ${nameOf(gateway.process)}`
}

/** `process 8931 (1 in its container, openclaw-gateway)`. */
export function nameOf(process: ProcessFacts): string {
  const inner = process.ids.length > 1 ? `${process.ids.at(-1)} in its container, ` : ''
  return `process ${process.pid} (${inner}${commandOf(process, 60)})`
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ').replace(/\.\d+/, '')
}
