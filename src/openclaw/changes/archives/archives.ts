import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import { readFrame } from '../journal/bundle.ts'
import { archivesOf, listBundles, listRuns, manifestOf, openBundle } from '../journal/folder.ts'
import { readRun } from '../journal/journal.ts'
import type { RunState, StepState } from '../journal/manifest.ts'
import type { StepKind } from '../run.ts'
import { unsettledRuns } from '../settle/settle.ts'
import { actualPath } from '../territory.ts'

/** One run with what is kept of it. */
export interface ArchivedRun {
  run: string
  command: string
  atMs: number
  /** Absolute. */
  manifest: string
  /** `unfinished`: killed on its way, and settled by the next command that changes the home. */
  state: 'kept' | 'undone' | 'partly undone' | 'expired' | 'unfinished'
  /** Steps that were done, and those of them that are undone. */
  steps: number
  undone: number
  /** Files of which a copy is kept, and their bytes. */
  files: number
  bytes: number
  /** On disk. */
  packedBytes: number
}

export interface ArchivedStep {
  step: number
  kind: StepKind
  /** Absolute. */
  path: string
  key: string | null
  because: string
  bytes: number
  /** When it was done. */
  atMs: number
  state: 'done' | 'left' | 'undone' | 'unfinished'
  /** A copy of what the file was is kept. */
  kept: boolean
}

export interface RunDetail extends ArchivedRun {
  detail: ArchivedStep[]
}

/** A run whose manifest cannot be read is not left out. */
export type Listed = ArchivedRun | { run: string; manifest: string; state: 'unreadable'; because: string }

/** Oldest first. @throws HoldfastError HOME_UNSAFE, HOME_UNREADABLE */
export async function listArchives(home: string): Promise<Listed[]> {
  const found: Listed[] = []
  for (const run of await listRuns(home)) {
    try {
      const { detail: _, ...summary } = await showRun(home, run)
      found.push(summary)
    } catch (error) {
      if (!isHoldfastError(error, 'MANIFEST_INVALID') && !isHoldfastError(error, 'ARCHIVE_NOT_FOUND')) throw error
      found.push({ run, manifest: manifestOf(home, run), state: 'unreadable', because: error.message })
    }
  }
  return found
}

/** @throws HoldfastError ARCHIVE_NOT_FOUND, MANIFEST_INVALID, HOME_UNSAFE, HOME_UNREADABLE */
export async function showRun(home: string, run: string): Promise<RunDetail> {
  const { state } = await readRun(home, run)
  const detail = [...state.steps.values()].map((step) => stepOf(home, state, step))
  const done = detail.filter((step) => step.state === 'done' || step.state === 'undone')
  const kept = detail.filter((step) => step.kept)
  const undone = done.filter((step) => step.state === 'undone').length
  const bundles = await listBundles(home, run)
  return {
    run,
    command: state.command,
    atMs: state.atMs,
    manifest: manifestOf(home, run),
    state: stateOf(state, done.length, undone, kept.length),
    steps: done.length,
    undone,
    files: kept.length,
    bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
    packedBytes: bundles.reduce((sum, { bytes }) => sum + bytes, 0),
    detail,
  }
}

function stateOf(state: RunState, steps: number, undone: number, kept: number): ArchivedRun['state'] {
  if (!state.settled) return 'unfinished'
  if (undone > 0) return undone === steps ? 'undone' : 'partly undone'
  return kept === 0 && state.expired.size > 0 ? 'expired' : 'kept'
}

function stepOf(home: string, { expired }: RunState, { told, state }: StepState): ArchivedStep {
  const { step, kind, key, because, atMs } = told
  const isPending = state === 'announced' || state === 'undoing'
  return {
    step,
    kind,
    path: actualPath(home, told.path),
    key,
    because,
    bytes: 'copy' in told ? told.copy.bytes : told.type === 'create' ? told.will.bytes : 0,
    atMs,
    state: isPending ? 'unfinished' : state,
    kept: 'copy' in told && state !== 'left' && !expired.has(told.copy.file),
  }
}

/**
 * What a file was before this step, in parts; only after the last one it is proven to be that.
 * @throws HoldfastError ARCHIVE_NOT_FOUND, ARCHIVE_DAMAGED, MANIFEST_INVALID, HOME_UNSAFE, HOME_UNREADABLE
 */
export async function* readCopy(home: string, run: string, step: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { state } = await readRun(home, run)
  const told = state.steps.get(step)?.told
  if (told === undefined || !('copy' in told)) throw notFound(`${run} has no copy of a file with the number ${step}`)
  if (state.expired.has(told.copy.file)) throw notFound(`the copy of step ${step} in ${run} has expired`)
  using bundle = await openBundle(home, run, told.copy.file)
  yield* readFrame(bundle, told.copy)
}

function notFound(because: string): HoldfastError {
  return new HoldfastError('ARCHIVE_NOT_FOUND', { because })
}

/** What the archives of a home take, without reading what is in them. */
export async function measureArchives(home: string) {
  const runs = await listRuns(home)
  let bytes = 0
  for (const run of runs) for (const bundle of await listBundles(home, run)) bytes += bundle.bytes
  return { path: archivesOf(home), runs: runs.length, bytes, unfinished: await unsettledRuns(home) }
}
