import { chmodSync, readFileSync, rmSync } from 'node:fs'

/** The text of a file, or null when there is none. Any other failure is thrown: unreadable is not absent. */
export function readTextIfPresent(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
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
