import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  unlinkSync,
} from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { isSystemError } from '../../host/files.ts'
import { failureOfReading, failureOfWriting, isAbsent, unsafe } from './failure.ts'
import { standingOf } from './identity.ts'

/** A path is itself or below. Text only: what lies there, and whether a link leads away, is another question. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** What a sessions directory is not to be left for: the home, or the directory itself where the configuration puts it beside the home. */
export function rootOf(home: { dir: string }, sessionsDir: string): string {
  return isInside(home.dir, sessionsDir) ? home.dir : sessionsDir
}

/** @throws HoldfastError HOME_UNSAFE for a path that is not absolute and plain, or lies outside */
export function requireInside(root: string, path: string): void {
  if (path.includes('\0')) throw unsafe(path.replaceAll('\0', '\\0'), 'no path has a zero in it')
  if (resolve(path) !== path) throw unsafe(path, 'it is not an absolute path without `..`')
  if (!isInside(root, path)) throw unsafe(path, `it lies outside of ${root}`)
}

/** Where an open file really is, on systems that tell; null on others. */
function placeOf(fd: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch (error) {
    if (isSystemError(error)) return null
    throw error
  }
}

/**
 * The open file lies inside the root, whatever links were on the way to it.
 * @throws HoldfastError HOME_UNSAFE
 */
export function requirePlace(root: string, path: string, fd: number): void {
  // Elsewhere than on Linux only the path can be asked, and may have been swapped in between.
  const place = placeOf(fd) ?? join(realpathSync.native(dirname(path)), path.slice(dirname(path).length))
  if (isInside(root, place) || isInside(realpathSync.native(root), place)) return
  throw unsafe(path, `a link leads out of ${root}, to ${place}`)
}

/**
 * A directory of a home, held open. On Linux names in it are reached through the descriptor, so that nobody can put a link
 * into the path between a look and a rename.
 */
export class Directory implements Disposable {
  readonly path: string
  /** Owner of what is made in it. */
  readonly uid: number
  readonly gid: number
  readonly #fd: number | null
  readonly #way: string

  constructor(path: string, fd: number | null, owner: { uid: number; gid: number }) {
    this.path = path
    this.uid = owner.uid
    this.gid = owner.gid
    this.#fd = fd
    this.#way = fd !== null && placeOf(fd) !== null ? `/proc/self/fd/${fd}` : path
  }

  /** For `node:fs` only: people are told `join(path, name)`. */
  at(name: string): string {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || (sep === '\\' && name.includes(sep)))
      throw unsafe(this.path, `${JSON.stringify(name)} is no name of a file`)
    return join(this.#way, name)
  }

  /** Afterwards the names in it are on disk, where the system can be asked for that. */
  sync(): void {
    if (this.#fd === null) return
    try {
      fsyncSync(this.#fd)
    } catch (error) {
      if (!isSystemError(error, 'EINVAL')) throw failureOfWriting(error, this.path)
    }
  }

  /** Anything stands under this name; false for a name that is too long for anything. */
  has(name: string): boolean {
    try {
      return lstatSync(this.at(name), { throwIfNoEntry: false }) !== undefined
    } catch (error) {
      if (isSystemError(error, 'ENAMETOOLONG')) return false
      throw failureOfReading(error, this.path)
    }
  }

  /** It need not be there. Names are not synced. @throws HoldfastError HOME_READ_ONLY, STORE_IO */
  remove(name: string): void {
    try {
      unlinkSync(this.at(name))
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw failureOfWriting(error, join(this.path, name))
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== null) closeSync(this.#fd)
  }
}

/** Null where there is none. @throws HoldfastError HOME_UNSAFE for anything that is no directory inside the root, HOME_UNREADABLE */
export function openDirectory(root: string, path: string): Directory | null {
  requireInside(root, path)
  try {
    const stat = lstatSync(path, { bigint: true })
    if (!stat.isDirectory()) throw unsafe(path, `it is a ${standingOf(stat)} and no directory`)
    if (process.platform === 'win32') {
      if (!isInside(realpathSync.native(root), realpathSync.native(path)))
        throw unsafe(path, `it lies outside of ${root}`)
      return new Directory(path, null, { uid: 0, gid: 0 })
    }
    return held(root, path)
  } catch (error) {
    if (isAbsent(error)) return null
    throw failureOfReading(error, path)
  }
}

function held(root: string, path: string): Directory {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    requirePlace(root, path, fd)
    return new Directory(path, fd, fstatSync(fd))
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
