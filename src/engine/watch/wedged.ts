import { readTextIfPresent, removeFileIfPresent } from '../../host/files.ts'
import { type ProcessState, stateOf } from '../../host/process.ts'
import { replaceFile } from '../../host/replace-file.ts'
import type { Holder } from '../../model/holders.ts'
import type { Sitting } from './board.ts'

/**
 * `wedged.json` stands in the data directory while the event loop of the process that owns it stands still, so that commands can
 * say so while nothing answers them. Written as a whole (0600); removed when the loop goes round again and at a clean end.
 * One that an ended process left behind is not believed.
 */
export interface Wedged {
  /** Whose event loop it is. */
  process: Pick<Holder, 'host' | 'bootId' | 'pidNamespace' | 'pid' | 'startTicks' | 'sinceMs'>
  /** When the loop last went round, by the wall clock. */
  sinceMs: number
  /** Turns that ran then, those that moved last first, and how many are not named. */
  running: (Sitting & { stillMs: number })[]
  more: number
}

const fileName = 'wedged.json'

/** False where it cannot be written, as on a full disk. */
export function writeWedged(directory: string, wedged: Wedged): boolean {
  return replaceFile(`${directory}/${fileName}`, `${JSON.stringify(wedged)}\n`)
}

export function removeWedged(directory: string): void {
  removeFileIfPresent(`${directory}/${fileName}`)
}

/**
 * Null when nothing is known to be wedged. `owner` is who has the directory now; null when nobody is known to.
 */
export function readWedged(directory: string, owner: { pid: number; sinceMs: number } | null): Wedged | null {
  const text = readTextIfPresent(`${directory}/${fileName}`)
  const found = text === null ? null : parse(text)
  return found !== null && isBelieved(found, owner, stateOf(found.process)) ? found : null
}

/** The file is the owner's, and the owner has not ended. */
export function isBelieved(
  { process }: Wedged,
  owner: { pid: number; sinceMs: number } | null,
  state: ProcessState,
): boolean {
  return owner?.pid === process.pid && owner.sinceMs === process.sinceMs && state !== 'has ended'
}

function parse(text: string): Wedged | null {
  try {
    const found = JSON.parse(text) as Partial<Wedged> | null
    return Array.isArray(found?.running) && typeof found.process?.pid === 'number' ? (found as Wedged) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null // information only: nothing is decided by it
    throw error
  }
}
