import { closeSync, constants, fchmodSync, fstatSync, fsyncSync, lstatSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isSystemError } from '../../host/files.ts'
import { changed, failureOfReading, failureOfWriting, isAbsent, unsafe } from './failure.ts'
import { identityOf, type Judged, sameIdentity, standingOf } from './identity.ts'
import { openDirectory, requirePlace } from './place.ts'

/** Permission bits of a file or directory; null where there is none. @throws HoldfastError HOME_UNSAFE for anything else, HOME_UNREADABLE */
export function readMode(root: string, path: string): { mode: number; judged: Judged } | null {
  return withOpen(root, path, (fd) => {
    const stat = fstatSync(fd, { bigint: true })
    return { mode: Number(stat.mode & 0o7777n), judged: { path, identity: identityOf(stat), sha256: null } }
  })
}

/**
 * The file or directory has these permission bits. A directory is judged by which one it is, since its times change with the names in it.
 * False where there is none. @throws HoldfastError HOME_CHANGED, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY
 */
export function setModeIfSame(root: string, judged: Judged, mode: number): boolean {
  const isDone = withOpen(root, judged.path, (fd) => {
    const stat = fstatSync(fd, { bigint: true })
    const { dev, ino } = judged.identity
    const isSame = stat.isDirectory()
      ? stat.dev === dev && stat.ino === ino
      : sameIdentity(judged.identity, identityOf(stat))
    if (!isSame) throw changed(judged.path, 'it is not what was judged')
    if (stat.isFile() && stat.nlink !== 1n) throw unsafe(judged.path, `it has ${stat.nlink} names (hard links)`)
    try {
      fchmodSync(fd, stat.isDirectory() ? mode : mode & 0o777) // a manifest may ask for set-user-id
      fsyncSync(fd)
    } catch (error) {
      throw failureOfWriting(error, judged.path)
    }
    return true
  })
  return isDone ?? false
}

function withOpen<T>(root: string, path: string, act: (fd: number) => T): T | null {
  using directory = path === root ? null : openDirectory(root, dirname(path))
  if (path !== root && directory === null) return null
  let fd: number | null = null
  try {
    const { O_NOFOLLOW = 0, O_NONBLOCK = 0 }: Partial<typeof constants> = constants
    const way = directory?.at(basename(path)) ?? path
    const stat = lstatSync(way, { bigint: true })
    if (!stat.isFile() && !stat.isDirectory()) throw unsafe(path, `it is a ${standingOf(stat)}`)
    fd = openSync(way, constants.O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    requirePlace(root, path, fd)
    return act(fd)
  } catch (error) {
    if (isAbsent(error)) return null
    throw isSystemError(error) ? failureOfReading(error, path) : error
  } finally {
    if (fd !== null) closeSync(fd)
  }
}
