import { accessSync, constants, lstatSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError } from './files.ts'

export interface ModeFacts {
  what: 'directory' | 'file'
  uid: number
  /** Permission bits, `0o755`. */
  mode: number
}

/** Of a directory or a file, links not followed; null where neither is there, or may be looked at. */
export function modeOf(path: string): ModeFacts | null {
  try {
    const stat = lstatSync(path)
    if (!(stat.isDirectory() || stat.isFile())) return null
    return { what: stat.isDirectory() ? 'directory' : 'file', uid: stat.uid, mode: stat.mode & 0o7777 }
  } catch (error) {
    if (isSystemError(error)) return null
    throw error
  }
}

/** Nothing is there, links followed. What may not be looked at may be there. */
export function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined
  } catch (error) {
    if (isSystemError(error)) return false
    throw error
  }
}

/** Anybody on this machine can come as far as what lies in the directory. Never on Windows, whose rights these bits do not tell. */
export function isReachable(directory: string): boolean {
  if (process.platform === 'win32') return false
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (stat === undefined || (stat.mode & 0o001) === 0) return false
  const above = dirname(directory)
  return above === directory || isReachable(above)
}

/** This user may write the file, or make it. */
export function isWritable(path: string): boolean {
  try {
    const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined
    accessSync(isThere ? path : dirname(path), constants.W_OK)
    return true
  } catch (error) {
    if (isSystemError(error)) return false
    throw error
  }
}
