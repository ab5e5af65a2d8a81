import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, read } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isSystemError } from '../../host/files.ts'
import { failureOfReading, isAbsent, unsafe } from './failure.ts'
import { type Identity, identityOf, standingOf } from './identity.ts'
import { type Directory, requireInside, requirePlace } from './place.ts'

const readAt = promisify(read)

/** A file that is one, held open for reading. `using` closes it. */
export class OpenFile implements Disposable {
  readonly path: string
  readonly fd: number
  /** When it was opened. */
  readonly identity: Identity
  readonly bytes: number
  /** Permission bits, `0o644`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly links: number
  /** When the file was made, where the file system knows it. Tells a new file from an old one with the same number. */
  readonly bornNs: bigint

  constructor(path: string, fd: number, stat: BigIntStats) {
    this.path = path
    this.fd = fd
    this.identity = identityOf(stat)
    this.bytes = Number(stat.size)
    this.mode = Number(stat.mode & 0o7777n)
    this.uid = Number(stat.uid)
    this.gid = Number(stat.gid)
    this.links = Number(stat.nlink)
    this.bornNs = stat.birthtimeNs
  }

  /** How many bytes are there, at most as many as fit; 0 at the end. @throws HoldfastError HOME_UNREADABLE */
  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return (await readAt(this.fd, into, 0, into.length, position)).bytesRead
    } catch (error) {
      throw failureOfReading(error, this.path)
    }
  }

  identityNow(): Identity {
    return identityOf(fstatSync(this.fd, { bigint: true }))
  }

  /** The same file as long as it is now. Disposing of either closes both. */
  asNow(): OpenFile {
    return new OpenFile(this.path, this.fd, fstatSync(this.fd, { bigint: true }))
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}

/**
 * Opens a file for reading; its time of access stays where this user may ask for that. Null where nothing has this name. It is a
 * regular file and lies inside the root (links on the way to it included); pipes, sockets and devices are not even opened.
 * @throws HoldfastError HOME_UNSAFE, HOME_UNREADABLE
 */
export async function openInside(root: string, path: string): Promise<OpenFile | null> {
  requireInside(root, path)
  return openWay(root, path, path)
}

/** The same for a name in an open directory. */
export function openAt(root: string, directory: Directory, name: string): OpenFile | null {
  return openWay(root, join(directory.path, name), directory.at(name))
}

/** `way` leads to the file that people know as `path`. */
function openWay(root: string, path: string, way: string): OpenFile | null {
  let fd: number | null = null
  try {
    requireFile(path, lstatSync(way, { bigint: true }))
    fd = openQuietly(way)
    const stat = fstatSync(fd, { bigint: true })
    requireFile(path, stat)
    requirePlace(root, path, fd)
    const opened = new OpenFile(path, fd, stat)
    fd = null
    return opened
  } catch (error) {
    if (isAbsent(error)) return null
    throw failureOfReading(error, path)
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

function requireFile(path: string, stat: BigIntStats): void {
  if (!stat.isFile()) throw unsafe(path, `it is a ${standingOf(stat)} and no file`)
}

/**
 * The file may be changed by us, and is nobody else's: one name only, and this user's (root may change every user's).
 * @throws HoldfastError HOME_UNSAFE
 */
export function requireOurs({ path, links, uid }: OpenFile): void {
  if (links !== 1)
    throw unsafe(path, `it has ${links} names (hard links), so that a change here would be one elsewhere`)
  const user = process.geteuid?.()
  if (user !== undefined && user !== 0 && user !== uid) throw unsafe(path, `it belongs to user ${uid}`)
}

/** Absent on some systems. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOATIME = 0 }: Partial<typeof constants> = constants
const flags = constants.O_RDONLY | O_NOFOLLOW | O_NONBLOCK

function openQuietly(way: string): number {
  try {
    return openSync(way, flags | O_NOATIME)
  } catch (error) {
    // only the owner of a file may leave its time of access alone
    if (O_NOATIME === 0 || !isSystemError(error, 'EPERM')) throw error
    return openSync(way, flags)
  }
}
