import { randomBytes } from 'node:crypto'
import {
  close,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsync,
  futimesSync,
  mkdirSync,
  openSync,
  write,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'
import { isSystemError } from '../../host/files.ts'
import { HoldfastError } from '../../model/errors.ts'
import { failureOfWriting, unreadable, writing } from './failure.ts'
import { giveName } from './give-name.ts'
import { type Directory, openDirectory, requireInside } from './place.ts'

export type Content = Uint8Array | AsyncIterable<Uint8Array>

export interface Attributes {
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
  /** null: now. Set to the microsecond. */
  mtimeNs: bigint | null
}

const writeAt = promisify(write)
const sync = promisify(fsync)
const shut = promisify(close)

/**
 * A new file with this content is on disk, for the owner of its directory only (0600) unless `mode` says otherwise.
 * @throws HoldfastError FILE_EXISTS where anything has this name, STORE_FULL, STORE_IO, HOME_READ_ONLY, HOME_UNSAFE
 */
export async function createInside(root: string, path: string, content: Content, mode = 0o600): Promise<void> {
  using directory = requireDirectory(root, dirname(path))
  await createAt(directory, basename(path), content, newIn(directory, mode))
  directory.sync()
}

/** What a new file in a directory is: its owner is the directory's. */
export function newIn({ uid, gid }: Directory, mode: number): Attributes {
  return { mode, uid, gid, mtimeNs: null }
}

/**
 * The same, and whoever sees the name sees all of the content: it is written under `freshName` first.
 * @throws HoldfastError FILE_EXISTS, STORE_FULL, STORE_IO, HOME_READ_ONLY, HOME_UNSAFE
 */
export async function putAt(
  directory: Directory,
  name: string,
  content: Content,
  attributes: Attributes,
  freshName: string,
): Promise<void> {
  const path = `${directory.path}/${name}`
  await createAt(directory, freshName, content, attributes)
  try {
    if (!giveName(directory, freshName, name)) throw new HoldfastError('FILE_EXISTS', { because: path })
  } catch (error) {
    directory.remove(freshName)
    throw error
  }
}

/** The same in a directory that is open; its names are not synced. Nothing is left of it where it fails. */
export async function createAt(
  directory: Directory,
  name: string,
  content: Content,
  attributes: Attributes,
): Promise<void> {
  const way = directory.at(name)
  await writing(`${directory.path}/${name}`, async () => {
    const { O_NOFOLLOW = 0 }: Partial<typeof constants> = constants
    const fd = openSync(way, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | O_NOFOLLOW, 0o600)
    try {
      await writeContent(fd, content)
      setAttributes(fd, attributes)
      await sync(fd)
    } catch (error) {
      directory.remove(name)
      throw error
    } finally {
      await shut(fd)
    }
  })
}

/** Never set-user-id and the like: what root writes here, or a manifest says, may come from who owns the home. */
const modeBits = 0o777

/** Root makes files for the user whose home it is. */
export function giveTo(fd: number, { mode, uid, gid }: Omit<Attributes, 'mtimeNs'>): void {
  if (process.geteuid?.() === 0) fchownSync(fd, uid, gid)
  fchmodSync(fd, mode & modeBits)
}

/** Of a file whose content is written. */
export function setAttributes(fd: number, attributes: Attributes): void {
  giveTo(fd, attributes)
  if (attributes.mtimeNs !== null) futimesSync(fd, Date.now() / 1_000, secondsOf(attributes.mtimeNs))
}

/**
 * Node takes times as seconds in a double, which is exact to a quarter of a microsecond: the middle of the microsecond
 * stays within it, so that a time put back is the same to the microsecond.
 */
function secondsOf(ns: bigint): number {
  return (Number(ns / 1_000n) + 0.5) / 1e6
}

export async function writeContent(fd: number, content: Content): Promise<number> {
  let position = 0
  for await (const part of content instanceof Uint8Array ? [content] : content) {
    for (let done = 0; done < part.length; ) {
      const { bytesWritten } = await writeAt(fd, part, done, part.length - done, position)
      done += bytesWritten
      position += bytesWritten
    }
  }
  return position
}

/** Afterwards it is there, as are those above it up to the root; what was made is on disk, for its owner only (0700). */
export function ensureDirectory(root: string, path: string): Directory {
  requireInside(root, path)
  const there = openDirectory(root, path)
  if (there !== null) return there
  if (path === root) throw unreadable(root, 'ENOENT')
  using above = ensureDirectory(root, dirname(path))
  makeIn(above, basename(path))
  return requireDirectory(root, path)
}

function makeIn(above: Directory, name: string): void {
  const way = above.at(name)
  try {
    mkdirSync(way, { mode: 0o700 })
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw failureOfWriting(error, `${above.path}/${name}`)
    return
  }
  const fd = openSync(way, constants.O_RDONLY)
  try {
    giveTo(fd, { mode: 0o700, uid: above.uid, gid: above.gid })
  } finally {
    closeSync(fd)
  }
  above.sync()
}

/** @throws HoldfastError HOME_UNREADABLE where there is none */
export function requireDirectory(root: string, path: string): Directory {
  const directory = openDirectory(root, path)
  if (directory === null) throw unreadable(path, 'ENOENT')
  return directory
}

/**
 * A name beside a file for what is on its way: `<name>.holdfast-<8 hex digits>.<ending>`. No gateway takes it for one of its
 * own; long names are left out of it, since one name has at most 255 bytes.
 */
export function nameBeside(name: string, ending: 'new' | 'aside'): string {
  const head = Buffer.byteLength(name) > 200 ? '' : name
  return `${head}.holdfast-${randomBytes(4).toString('hex')}.${ending}`
}
