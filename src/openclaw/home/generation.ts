import { basename } from 'node:path'
import { unreadable } from '../files/failure.ts'
import { follow } from '../files/follow.ts'
import { listDirectory } from '../files/list.ts'
import { openInside } from '../files/open.ts'
import type { AgentHome, Generation } from './home.ts'
import { kindOfName } from './names.ts'

/** From this schema on a database of an agent holds its sessions; earlier ones hold credentials and memory only. */
export const sessionsSchemaMin = 4

/** Where one agent keeps its sessions; both while a migration is under way, or where its originals were kept. */
export interface Kept {
  files: boolean
  database: boolean
}

export function generationOf(agents: readonly Kept[]): Generation {
  const files = agents.some((agent) => agent.files)
  const database = agents.some((agent) => agent.database)
  if (files && database) return 'mixed'
  if (database) return 'sqlite'
  return files ? 'files' : 'empty'
}

/**
 * An index, or a transcript that a session may be bound to; archives that a database has written out are none.
 * @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE
 */
export async function keepsFiles({ sessionsDir, indexPath }: AgentHome): Promise<boolean> {
  if (follow(indexPath) !== null) return true
  const listed = (await listDirectory(sessionsDir, sessionsDir)) ?? []
  return listed.some(({ name }) => kindOfName(name, basename(indexPath)).kind === 'transcript')
}

/**
 * `user_version` of a database as it stands on disk, its log included; null where there is none, or nothing in it yet. Nothing but the file's
 * header is read, without SQLite: closing the file drops locks that SQLite of this process holds on it, so none may be open.
 * @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE
 */
export async function schemaOfDatabase(root: string, path: string): Promise<number | null> {
  const stored = await versionInFile(root, path)
  if (stored !== null && stored >= sessionsSchemaMin) return stored
  return (await versionInLog(root, `${path}-wal`)) ?? stored
}

const magic = 'SQLite format 3\0'
/** Offset of `user_version` in the first page. Source: sqlite.org/fileformat2.html, 1.3. */
const versionAt = 60

async function versionInFile(root: string, path: string): Promise<number | null> {
  using file = await openInside(root, path)
  if (file === null || file.bytes === 0) return null
  const header = Buffer.alloc(100)
  const bytes = await file.read(header, 0)
  if (bytes < header.length || header.toString('latin1', 0, 16) !== magic) {
    throw unreadable(path, 'it does not begin like an SQLite database')
  }
  return header.readUInt32BE(versionAt)
}

/** Frames that are looked at; a log of a new database has few. */
const framesMax = 20_000

/** The newest first page in a write-ahead log. Source: sqlite.org/fileformat2.html, 4.1. */
async function versionInLog(root: string, path: string): Promise<number | null> {
  using file = await openInside(root, path)
  if (file === null) return null
  const header = Buffer.alloc(32)
  if ((await file.read(header, 0)) < header.length) return null
  const pageBytes = header.readUInt32BE(8)
  if (pageBytes < 512 || pageBytes > 65_536) return null
  const salt = header.subarray(16, 24)
  const frame = Buffer.alloc(24 + versionAt + 4)
  let found: number | null = null
  for (let at = 0; at < framesMax; at += 1) {
    const bytes = await file.read(frame, header.length + at * (24 + pageBytes))
    const isOfThisLog = bytes === frame.length && frame.subarray(8, 16).equals(salt)
    if (!isOfThisLog) break
    if (frame.readUInt32BE(0) === 1) found = frame.readUInt32BE(24 + versionAt)
  }
  return found
}

/** The later of two releases: `2026.9.6` after `2026.10.1` is not. */
export function laterVersion(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a.localeCompare(b, 'en', { numeric: true }) >= 0 ? a : b
}
