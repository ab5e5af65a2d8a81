import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'
import { isSystemError } from './files.ts'

/** Rotated at this size, with so many earlier ones kept: `keep.log`, `keep.log.1`, `keep.log.2`. Unit: bytes. */
const bytesMax = 5 * 1024 ** 2
const earlierMax = 2

/**
 * A log file that never grows beyond its bound, for its owner only (0600). Lines are written as they come, so the last ones before a
 * crash are there. When the disk takes no more, lines are lost and the program goes on.
 * @throws the system's error when it cannot be opened
 */
export function logFile(path: string, limit = bytesMax): DestinationStream & Disposable {
  let fd = openSync(path, 'a', 0o600)
  let bytes = fstatSync(fd).size
  const rotate = () => {
    closeSync(fd)
    try {
      for (let at = earlierMax; at >= 1; at -= 1) moveIfThere(at === 1 ? path : `${path}.${at - 1}`, `${path}.${at}`)
    } finally {
      fd = openSync(path, 'a', 0o600)
      bytes = fstatSync(fd).size
    }
  }
  return {
    write: (line) => {
      try {
        if (bytes >= limit) rotate()
        bytes += writeSync(fd, line)
      } catch (error) {
        if (!isSystemError(error)) throw error // a full disk
      }
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    rmSync(to, { force: true })
    renameSync(from, to)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
