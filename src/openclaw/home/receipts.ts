import { dirname, isAbsolute, join } from 'node:path'
import { isHoldfastError } from '../../model/errors.ts'
import { unreadable } from '../files/failure.ts'
import { follow } from '../files/follow.ts'
import { listDirectory } from '../files/list.ts'
import { isInside } from '../files/place.ts'
import { readSmall } from '../files/text.ts'
import type { AgentHome, Home } from './home.ts'

/** What a migration to SQLite has named. */
export interface Receipts {
  /** Absolute; a directory stands for all in it. */
  paths: string[]
  unreadable: Home['unreadable']
}

const runsName = 'session-sqlite-migration-runs'
const archiveName = 'session-sqlite-import-archive'
/** A manifest has some 500 bytes for each file that it names. */
const manifestBytesMax = 128 * 1024 ** 2

/**
 * Every path that stands in a manifest of a migration (`session-sqlite-migration-runs/*.json`), the folders into which originals were
 * moved, and the folder of cold transcripts: inode, time and hash of these files are what the gateway goes by. Where a manifest
 * cannot be read, every sessions directory is taken for named.
 * @param elsewhere where the gateway sees the home, when that is another place; manifests of a home that has moved are understood too
 */
export async function receiptsOf(
  dir: string,
  agents: readonly AgentHome[],
  elsewhere: string | null,
): Promise<Receipts> {
  const paths = new Set(agents.flatMap(({ sessionsDir }) => foldersBeside(sessionsDir)).filter(isThere))
  const failed: Home['unreadable'] = []
  const runs = join(dir, runsName)
  try {
    const listed = (await listDirectory(dir, runs)) ?? []
    if (isThere(runs)) paths.add(runs)
    for (const { name } of listed.filter((each) => each.name.endsWith('.json'))) {
      for (const path of await pathsIn(dir, join(runs, name))) paths.add(within(dir, path, elsewhere) ?? path)
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    failed.push({ path: runs, because: String(error.facts.because) })
    for (const { sessionsDir } of agents) paths.add(sessionsDir)
  }
  return { paths: [...paths], unreadable: failed }
}

/** Whether a path, or a directory that it lies in, was named. */
export function namedIn(receipts: readonly string[]): (path: string) => boolean {
  const named = new Set(receipts)
  return (path) => {
    for (let at = path; ; at = dirname(at)) {
      if (named.has(at)) return true
      if (dirname(at) === at) return false
    }
  }
}

function foldersBeside(sessionsDir: string): string[] {
  return [join(dirname(sessionsDir), archiveName), join(sessionsDir, archiveName), join(sessionsDir, 'cold')]
}

const isThere = (path: string): boolean => follow(path) !== null

async function pathsIn(dir: string, manifest: string): Promise<string[]> {
  const file = await readSmall(dir, manifest, manifestBytesMax)
  if (file === null) return [] // the gateway removes old ones
  const found: string[] = []
  const waiting: unknown[] = [parsed(manifest, file.data)]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'string' && isAbsolute(value) && !value.includes('\0')) found.push(value)
    if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) waiting.push(each)
  }
  return found
}

function parsed(path: string, data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable(path, 'it is no JSON', error)
    throw error
  }
}

/** The same path in this home, when it was written where the home lay elsewhere; null where it never lay in it. */
export function within(dir: string, path: string, elsewhere: string | null): string | null {
  if (isInside(dir, path)) return path
  if (elsewhere !== null && isInside(elsewhere, path)) return join(dir, path.slice(elsewhere.length))
  const agentsAt = path.replaceAll('\\', '/').lastIndexOf('/agents/')
  return agentsAt === -1 ? null : join(dir, path.slice(agentsAt))
}
