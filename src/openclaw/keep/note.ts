import { isHoldfastError } from '../../model/errors.ts'
import { readKeeperNote, writeKeeperNote } from '../files/own/keeper-files.ts'
import { keeperTasks, type LastRun, type LastRuns } from './due.ts'

/** `<home>/holdfast/keeper.json`: what a keeper leaves for its next start and for `keep --status`. Never used to decide who keeps. */
export interface KeeperNote {
  pid: number
  sinceMs: number
  /** Where its status is; null where it shows none. */
  url: string | null
  runs: LastRuns
}

/** Null where there is none that can be read: then everything is due. */
export async function readNote(home: string): Promise<KeeperNote | null> {
  try {
    const text = await readKeeperNote(home)
    return text === null ? null : noteOf(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError || isHoldfastError(error)) return null
    throw error
  }
}

export function writeNote(home: string, note: KeeperNote): boolean {
  return writeKeeperNote(home, `${JSON.stringify(note)}\n`)
}

function noteOf(found: unknown): KeeperNote | null {
  if (typeof found !== 'object' || found === null) return null
  const { pid, sinceMs, url, runs } = found as Partial<Record<keyof KeeperNote, unknown>>
  if (typeof pid !== 'number' || typeof sinceMs !== 'number') return null
  return { pid, sinceMs, url: typeof url === 'string' ? url : null, runs: runsOf(runs) }
}

function runsOf(found: unknown): LastRuns {
  if (typeof found !== 'object' || found === null) return {}
  const known = keeperTasks.flatMap((task) => {
    const run = (found as Record<string, unknown>)[task]
    return isRun(run) ? [[task, run] as const] : []
  })
  return Object.fromEntries(known)
}

function isRun(run: unknown): run is LastRun {
  if (typeof run !== 'object' || run === null) return false
  const { startedAtMs, endedAtMs, ok } = run as Partial<Record<keyof LastRun, unknown>>
  return typeof startedAtMs === 'number' && typeof endedAtMs === 'number' && typeof ok === 'boolean'
}
