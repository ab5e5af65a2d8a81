import { join } from 'node:path'
import { sha256 } from '../../host/random.ts'
import type { Judged } from '../files/identity.ts'
import { listDirectory } from '../files/list.ts'
import { readSmall } from '../files/text.ts'
import { becauseOf } from './because.ts'

/*
 * Up to 2026.6 channels keep which thread belongs to which session in `<home>/discord/thread-bindings.json` (`bindings` is an object by
 * account and thread), `<home>/telegram/thread-bindings-<account>.json` and `<home>/matrix/…/thread-bindings.json` (a list); version 1. From
 * 2026.7 they are in a database, and these files are what is left to be taken over.
 */

/** One list of bound threads, as it was read. */
export interface BoundFile {
  judged: Judged
  bindings: BoundThread[]
}

export interface BoundThread {
  /** Its key in the object, or its place in the list. */
  place: string
  /** Of the session. */
  key: string
  /** 0 where it is not told. Unit: ms. */
  boundAtMs: number
  /** The later of being bound and being used; 0 where neither is told. Unit: ms. */
  usedAtMs: number
  /** As it says itself; null: the gateway's configuration decides, 0: never. Unit: ms. */
  idleMs: number | null
  ageMaxMs: number | null
}

/** The bound threads in the text of such a file; null where it is none. Those without a session are not among them. */
export function boundThreads(text: string): BoundThread[] | null {
  const file = parsed(text)
  if (!isRecord(file) || file.version !== 1) return null
  const { bindings } = file
  if (typeof bindings !== 'object' || bindings === null) return null
  return Object.entries(bindings).flatMap(([place, each]): BoundThread[] => {
    if (!isRecord(each)) return []
    const key = each.targetSessionKey ?? each.sessionKey
    if (typeof key !== 'string' || key.trim() === '') return []
    const boundAtMs = timeIn(each.boundAt) ?? 0
    const usedAtMs = Math.max(boundAtMs, timeIn(each.lastActivityAt) ?? 0)
    const limits = { idleMs: timeIn(each.idleTimeoutMs), ageMaxMs: timeIn(each.maxAgeMs) }
    return [{ place, key: key.trim(), boundAtMs, usedAtMs, ...limits }]
  })
}

/** The same file without these threads; all else is kept. */
export function withoutThreads(text: string, places: readonly string[]): string {
  const file = parsed(text)
  if (!isRecord(file)) return text
  const gone = new Set(places)
  const kept = Object.entries(file.bindings as object).filter(([place]) => !gone.has(place))
  const bindings = Array.isArray(file.bindings) ? kept.map(([, each]) => each) : Object.fromEntries(kept)
  return `${JSON.stringify({ ...file, bindings }, null, 2)}\n`
}

/** All lists of a home, and what could not be read: never taken for an empty one. */
export interface BoundFiles {
  lists: BoundFile[]
  unreadable: { path: string; because: string }[]
}

/** A binding has some 500 bytes. Unit: bytes. */
const fileBytesMax = 16 * 1024 ** 2
const fileName = /^thread-bindings.*\.json$/

/** The lists of bound threads of channels that keep them in files. */
export async function readBound(homeDir: string): Promise<BoundFiles> {
  const found: BoundFiles = { lists: [], unreadable: [] }
  for (const folder of await foldersOf(homeDir, found)) {
    for (const name of await namesIn(homeDir, folder, found)) {
      if (fileName.test(name)) await readList(homeDir, join(folder, name), found)
    }
  }
  return found
}

async function readList(homeDir: string, path: string, found: BoundFiles): Promise<void> {
  try {
    const file = await readSmall(homeDir, path, fileBytesMax)
    if (file === null) return
    const bindings = boundThreads(file.data.toString('utf8'))
    const judged = { path, identity: file.identity, sha256: sha256(file.data) }
    if (bindings === null) found.unreadable.push({ path, because: 'it is no list of bindings' })
    else found.lists.push({ judged, bindings })
  } catch (error) {
    found.unreadable.push({ path, because: becauseOf(error, path) })
  }
}

/** `matrix/accounts/<account>/<server>/<token>` and what the others have at the top. */
async function foldersOf(homeDir: string, found: BoundFiles): Promise<string[]> {
  let level = [join(homeDir, 'matrix', 'accounts')]
  for (let depth = 0; depth < 3; depth += 1) {
    const below: string[] = []
    for (const folder of level) {
      for (const name of await namesIn(homeDir, folder, found, 'directory')) below.push(join(folder, name))
    }
    level = below.slice(0, foldersMax)
  }
  return [join(homeDir, 'discord'), join(homeDir, 'telegram'), join(homeDir, 'matrix'), ...level]
}

const foldersMax = 100

async function namesIn(
  homeDir: string,
  folder: string,
  found: BoundFiles,
  wanted: 'directory' | null = null,
): Promise<string[]> {
  try {
    const listed = (await listDirectory(homeDir, folder)) ?? []
    return listed.filter(({ what }) => wanted === null || what === wanted).map(({ name }) => name)
  } catch (error) {
    found.unreadable.push({ path: folder, because: becauseOf(error, folder) })
    return []
  }
}

function timeIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
