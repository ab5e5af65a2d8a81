import { statSync } from 'node:fs'
import { isSystemError } from '../files.ts'
import type { FileId } from '../processes.ts'

export function fileIdOf(path: string): FileId | null {
  return orNull(() => {
    const { dev, ino } = statSync(path, { bigint: true })
    return { dev, ino }
  })
}

/** A process that ends while it is looked at, or is not ours to look into, is no failure. */
export function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (isSystemError(error)) return null
    throw error
  }
}
