import { writeSync } from 'node:fs'
import { isSystemError } from './files.ts'

const standardError = 2

/**
 * One line on standard error, written by this very thread: what `process.stderr` of a thread is given waits for the main
 * thread. False when nobody takes it now.
 */
export function writeErrorLine(line: string): boolean {
  try {
    writeSync(standardError, `${line}\n`)
    return true
  } catch (error) {
    if (!isSystemError(error)) throw error // a full pipe (EAGAIN), or one whose reader has gone
    return false
  }
}
