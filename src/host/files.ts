import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** The text of a file, or null when there is none. Any other failure is thrown: unreadable is not absent. */
export function readTextIfPresent(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

/**
 * Afterwards the directory is there, as are those above it; what was made is on disk and for its owner only (0700). One
 * step at a time: Node's own recursive form never ends where the file system denies a directory with ENOENT, as under /proc.
 */
export function makeDirectory(path: string): void {
  if (isDirectory(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const byOthers = isSystemError(error, 'EEXIST') && isDirectory(path)
    if (!byOthers) throw error
  }
  syncDirectory(parent)
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** A file that this user may run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch (error) {
    if (isSystemError(error)) return false
    throw error
  }
}

/** None where there is no such directory. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

/** Afterwards the names in a directory are on disk, where the system can be asked for that: not on Windows, nor unread. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  try {
    const descriptor = openSync(path, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EINVAL')) throw error
  }
}

/** Afterwards only the owner of the file may open it (mode 0600). */
export function restrictToOwner(path: string): void {
  chmodSync(path, 0o600)
}

export function removeFileIfPresent(path: string): void {
  rmSync(path, { force: true })
}

/** An error of the operating system with one of these codes (`EACCES`); any of them when none is named. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return false
  return codes.length === 0 || codes.includes(String(error.code))
}
