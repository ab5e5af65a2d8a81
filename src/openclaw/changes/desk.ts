import { isHoldfastError } from '../../model/errors.ts'
import type { OpenFile } from '../files/open.ts'
import type { Directory } from '../files/place.ts'
import { factsOfKey } from '../home/keys.ts'
import type { BundleWriter } from './journal/bundle.ts'
import type { Journal } from './journal/journal.ts'
import type { Announcement, FileRecord, ManifestLine } from './journal/manifest.ts'
import type { Left, Outcome, StepKind, StepNote } from './run.ts'
import { recordedPath, type Territory } from './territory.ts'

/** What every step of a run is made with. */
export interface Desk {
  home: Territory
  journal: Journal
  nowMs(): number
  nextStep(): number
  bundleFor(shelf: Shelf): Promise<BundleWriter>
  /** Lock files that the caller has taken itself: they keep nobody out. Absolute paths. */
  heldLocks: ReadonlySet<string>
}

/** `said`: what people said, which is kept until a person wants it otherwise; `errand`: everything else, which expires. */
export type Shelf = 'said' | 'errand'

/**
 * What people said stays until a person bounds it. A transcript that belongs to no known session may hold that; so may what a mended one was
 * before; and the entries that left an index say which conversation a transcript was: without them undoing would be half.
 */
const saying: readonly StepKind[] = ['archive-transcript', 'repair-transcript', 'drop-entry', 'rebuild-index']

export function shelfOf({ kind, key }: StepNote): Shelf {
  if (!saying.includes(kind)) return 'errand'
  return key !== null && factsOfKey(key).standing === 'errand' ? 'errand' : 'said'
}

export function recordOf(file: OpenFile): FileRecord {
  const { dev, ino, bytes, mtimeNs, ctimeNs } = file.identity
  return {
    dev: String(dev),
    ino: String(ino),
    bytes: String(bytes),
    mtimeNs: String(mtimeNs),
    ctimeNs: String(ctimeNs),
    bornNs: String(file.bornNs),
    mode: file.mode,
    uid: file.uid,
    gid: file.gid,
  }
}

export type Subject = Pick<Announcement, 'step' | 'atMs' | 'kind' | 'path' | 'key' | 'because'>

export function subjectOf(desk: Desk, path: string, note: StepNote): Subject {
  const { kind, key, because } = note
  return { step: desk.nextStep(), atMs: desk.nowMs(), kind, path: recordedPath(desk.home.dir, path), key, because }
}

/** Somebody holds the file: what stands beside it says so. */
export function isLocked(desk: Desk, directory: Directory, name: string): boolean {
  if (name.endsWith('.lock')) return false
  const lock = `${name}.lock`
  return !desk.heldLocks.has(`${directory.path}/${lock}`) && directory.has(lock)
}

const leftBy = {
  HOME_CHANGED: 'changed',
  HOME_UNSAFE: 'unsafe',
  FILE_EXISTS: 'changed',
  HOME_UNREADABLE: 'no access',
  HOME_READ_ONLY: 'no access',
  STORE_FULL: 'no room',
} as const

/** A step that cannot be taken ends by itself and nothing else; any other failure ends the run. */
export function leftOf(error: unknown): Left {
  if (!isHoldfastError(error) || !(error.code in leftBy)) throw error
  const because = typeof error.facts.because === 'string' ? error.facts.because : error.message
  return { done: false, left: leftBy[error.code as keyof typeof leftBy], because }
}

/** `now`: what stands under the name afterwards, where the step left something there. */
export function reportOf(desk: Desk, step: number, outcome: Outcome, now: FileRecord | null): ManifestLine {
  const atMs = desk.nowMs()
  if (outcome.done) return { type: 'done', step, atMs, now }
  return { type: 'left', step, atMs, left: outcome.left, because: outcome.because }
}
