import { dirname, join } from 'node:path'
import { sameFile } from '../../host/processes.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { listDirectory } from '../files/list.ts'
import { isInside } from '../files/place.ts'
import { readSmall } from '../files/text.ts'
import { type Claim, type Holding, holderOf, nameOf } from './holder.ts'
import { type Payload, parsePayload, payloadBytesMax } from './payload.ts'
import { programOf } from './program.ts'
import type { HomeProcesses, HomeUser } from './users.ts'

/** Whether a gateway works on a home. Where that cannot be told, everything is done as if it did. */
export type GatewayFacts =
  | { state: 'running'; pid: number; sinceMs: number | null; proof: string; container: string | null }
  | { state: 'stopped'; proof: string }
  | { state: 'unknown'; because: string }

/**
 * Whether a gateway works on a home: by its lock files (`gateway.<hash>.lock`, `gateway.state.lock`), and by processes that work on the
 * home. A lock file may be out of sight (another `/tmp`, another container), and a process may not say what it is, so either is enough for
 * `running`, and `stopped` needs both to be seen. `temporary`: directories in which gateways make `openclaw-<uid>`, beside `/tmp`, where services do.
 * @throws HoldfastError HOME_UNREADABLE
 */
export async function gatewayFacts(
  home: { dir: string },
  around: HomeProcesses,
  temporary: readonly string[],
): Promise<GatewayFacts> {
  const { table, users, looked, blind } = around
  const all = (await gatewayLocks(home.dir, new Set([...temporary, '/tmp']))).map((lock) => ({
    ...lock,
    holding: holderOf(lock.claim, around),
  }))
  const held = all.filter((lock) => isOf(home.dir, lock, around))
  const taken = new Set(all.filter((lock) => !held.includes(lock)).map(({ holding }) => holding.process?.pid))
  const byLock = held.find(({ holding }) => holding.verdict === 'live')
  if (byLock?.holding.process != null) return running(byLock.holding.process.pid, byLock.holding.proof, around)
  const gateway = users.find(({ program }) => program === 'gateway')
  if (gateway !== undefined)
    return running(gateway.process.pid, `${nameOf(gateway.process)}: ${gateway.because}`, around)
  const unsure = held.find(({ holding }) => holding.verdict === 'unknown')
  if (unsure !== undefined) return { state: 'unknown', because: `${unsure.path}: ${unsure.holding.proof}` }
  const command = users.find(({ program }) => program === 'openclaw')
  if (command !== undefined)
    return { state: 'unknown', because: `${nameOf(command.process)} may be one: ${command.because}` }
  const closed = table.processes.find(
    (process) =>
      looked.get(process.pid) === null &&
      programOf(process) !== 'other' &&
      !taken.has(process.pid) &&
      table.again(process.pid) !== null, // one that has ended meanwhile is closed to nobody
  )
  if (closed !== undefined)
    return { state: 'unknown', because: `${nameOf(closed)} may be one, and is not ours to look into` }
  if (blind !== null) return { state: 'unknown', because: blind.because }
  return { state: 'stopped', proof: stoppedProof(held, table.processes.length) }
}

function running(pid: number, proof: string, { table, users, looked }: HomeProcesses): GatewayFacts {
  const process = table.processes.find((each) => each.pid === pid)
  const container = looked.get(pid)?.container ?? containerNameOf(users.find((user) => user.process.pid === pid))
  return { state: 'running', pid, sinceMs: process?.startedAtMs ?? null, proof, container }
}

/** A pid namespace of its own is a container too, with or without a name. */
function containerNameOf(user: HomeUser | undefined): string | null {
  return user !== undefined && user.process.ids.length > 1 ? user.process.pidNamespace : null
}

function stoppedProof(held: readonly { path: string; holding: Holding }[], processes: number): string {
  const left = held.find(({ holding }) => holding.verdict !== 'live')
  const lock = left === undefined ? '' : `; ${left.path} is left over: ${left.holding.proof}`
  return `none of ${processes} processes works on it as a gateway${lock}`
}

interface GatewayLock {
  path: string
  payload: Payload
  claim: Claim
}

const lockName = /^gateway\.(?:[0-9a-f]{8}|state)\.lock$/

/** From 2026.9 they stand in the home itself. Before, they name the configuration, which says whose they are. */
async function gatewayLocks(home: string, temporary: Iterable<string>): Promise<GatewayLock[]> {
  const found = await locksUnder(home, join(home, 'tmp'))
  for (const directory of temporary) {
    try {
      found.push(...(await locksUnder(directory, directory)))
    } catch (error) {
      if (!isHoldfastError(error, 'HOME_UNREADABLE') && !isHoldfastError(error, 'HOME_UNSAFE')) throw error
      // Anybody may put anything there; who runs is seen from the processes as well.
    }
  }
  return found
}

function isOf(
  home: string,
  { path, payload: { stateDir, configPath } }: GatewayLock,
  { table }: HomeProcesses,
): boolean {
  const named = stateDir ?? (configPath === null ? null : dirname(configPath))
  if (isInside(home, path) || named === home) return true
  const here = table.fileAt(table.own.pid, home)
  const there = named === null ? null : table.fileAt(table.own.pid, named)
  return here !== null && there !== null && sameFile(here, there)
}

async function locksUnder(root: string, parent: string): Promise<GatewayLock[]> {
  const found: GatewayLock[] = []
  for (const { name, what } of (await listDirectory(root, parent)) ?? []) {
    if (what !== 'directory' || !/^(?:openclaw|clawdbot|moltbot)(?:-\d+)?$/.test(name)) continue
    const directory = join(parent, name)
    for (const listed of (await listDirectory(root, directory)) ?? []) {
      if (listed.what !== 'file' || !lockName.test(listed.name)) continue
      const lock = await readGatewayLock(root, join(directory, listed.name))
      if (lock !== null) found.push(lock)
    }
  }
  return found
}

/** One that is being written, or names nobody, says nothing: its holder is seen as a process. */
async function readGatewayLock(root: string, path: string): Promise<GatewayLock | null> {
  try {
    const file = await readSmall(root, path, payloadBytesMax)
    const payload = file === null ? null : parsePayload(file.data)
    if (file === null || payload === null || 'malformed' in payload) return null
    const { pid, startTicks, createdAtMs } = payload
    const { dev, ino, mtimeNs } = file.identity
    const claim = { file: { dev, ino }, pid, startTicks, createdAtMs, mtimeMs: Number(mtimeNs / 1_000_000n) }
    return { path, payload, claim }
  } catch (error) {
    if (isHoldfastError(error, 'HOME_CHANGED')) return null
    throw error
  }
}
