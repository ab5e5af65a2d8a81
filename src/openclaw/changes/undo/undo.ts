import type { Clock } from '../../../host/clock.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import { Directories } from '../../files/directories.ts'
import { takeWriterLock } from '../../files/own/writer-lock.ts'
import type { GatewayFacts } from '../../gateway/running.ts'
import { manifestOf } from '../journal/folder.ts'
import { Journal, readRun } from '../journal/journal.ts'
import type { ManifestLine, RunState, StepState } from '../journal/manifest.ts'
import type { StepReport } from '../run.ts'
import { settleHome } from '../settle/settle.ts'
import { actualPath, type Territory } from '../territory.ts'
import {
  type Bench,
  mergeBack,
  modeBack,
  putBack,
  removeCreated,
  replaceBack,
  type Told,
  type UndoLine,
  undoLine,
} from './carry-out.ts'
import { type Way, wayBack } from './decide.ts'

export interface Undoing {
  clock: Clock
  /** Whether a gateway works on the home; asked again on the way, since one may be started meanwhile. */
  gatewayNow(): Promise<GatewayFacts>
  /** Only look: nothing is changed. */
  dryRun: boolean
  /** Numbers of steps; null: all. */
  only: ReadonlySet<number> | null
}

export interface UndoReport {
  run: string
  command: string
  atMs: number
  /** Absolute. */
  manifest: string
  /** In the order in which they are taken back: the last one first. */
  steps: StepReport[]
  /** Steps that had been undone before. */
  already: number
  /** As it was told last. */
  gateway: GatewayFacts
}

/** Files that are put back share their syncs, and so many are written at once. */
const filesAtOnce = 256
const writersMax = 8

/**
 * Everything that the run did is as it was before: files are back in their places to the byte, with mode, owner and time; an index that has
 * moved on since gets its entries back and keeps the rest. What somebody has changed since, or a running gateway holds, is left alone and
 * told. Can be interrupted and repeated: what is done is not done again.
 * @throws HoldfastError HOME_BUSY, ARCHIVE_NOT_FOUND, MANIFEST_INVALID, ARCHIVE_DAMAGED, HOME_*, STORE_*
 */
export async function undoRun(home: Territory, run: string, how: Undoing): Promise<UndoReport> {
  if (how.dryRun) return await lookOnly(home, run, how)
  await readRun(home.dir, run) // a name that is none leaves no trace
  using _ = takeWriterLock(home.dir)
  await settleHome(home, how.clock.nowMs())
  const { journal, state } = await Journal.resume(home.dir, run)
  await using open = journal
  const bench = { home, journal, nowMs: () => how.clock.nowMs() }
  const gateway = await Gateway.ask(how)
  const steps: StepReport[] = []
  for (const group of groupsOf(stepsOf(state, how)))
    steps.push(...(await undoGroup(bench, group, state, await gateway.isStopped())))
  await open.settled(how.clock.nowMs())
  return reportOf(home, run, state, steps, how, gateway)
}

async function lookOnly(home: Territory, run: string, how: Undoing): Promise<UndoReport> {
  const { state } = await readRun(home.dir, run)
  const gateway = await Gateway.ask(how)
  const steps: StepReport[] = []
  const goBack = new Set<string>()
  for (const step of stepsOf(state, how)) {
    const { path } = step.told
    const way = await wayBack(home, actualPath(home.dir, path), step, state, await gateway.isStopped())
    // an earlier change of the same file goes back after the later one
    const because = way.act === 'leave' && !goBack.has(path) ? way.because : null
    if (because === null) goBack.add(path)
    steps.push(stepReport(home, step, because, false))
  }
  return reportOf(home, run, state, steps, how, gateway)
}

/** A second is long enough for a gateway to be started, and too short for it to have read its index. */
const answerMs = 1_000

/** What is known of the gateway, never older than that. */
class Gateway {
  readonly #how: Undoing
  facts: GatewayFacts
  #askedMs: number

  private constructor(how: Undoing, facts: GatewayFacts) {
    this.#how = how
    this.facts = facts
    this.#askedMs = how.clock.steadyMs()
  }

  static async ask(how: Undoing): Promise<Gateway> {
    return new Gateway(how, await how.gatewayNow())
  }

  async isStopped(): Promise<boolean> {
    if (this.#how.clock.steadyMs() - this.#askedMs > answerMs) {
      this.facts = await this.#how.gatewayNow()
      this.#askedMs = this.#how.clock.steadyMs()
    }
    return this.facts.state === 'stopped'
  }
}

function reportOf(
  home: Territory,
  run: string,
  state: RunState,
  steps: StepReport[],
  how: Undoing,
  { facts: gateway }: Gateway,
): UndoReport {
  const isMeant = ({ told }: StepState) => how.only === null || how.only.has(told.step)
  const undone = [...state.steps.values()].filter((step) => step.state === 'undone' && isMeant(step)).length
  return {
    run,
    command: state.command,
    atMs: state.atMs,
    manifest: manifestOf(home.dir, run),
    steps,
    already: undone,
    gateway,
  }
}

/** What is left to undo, the last step first. @throws HoldfastError ARCHIVE_NOT_FOUND for a number that no step has */
function stepsOf(state: RunState, { only }: Undoing): StepState[] {
  for (const step of only ?? [])
    if (!state.steps.has(step))
      throw new HoldfastError('ARCHIVE_NOT_FOUND', { because: `${state.run} has no step ${step}` })
  const isMeant = ({ told }: StepState) => only === null || only.has(told.step)
  return [...state.steps.values()].filter((step) => step.state === 'done' && isMeant(step)).reverse()
}

/** Steps that take files and follow one another go together, each file once; every other step goes alone. */
function* groupsOf(steps: readonly StepState[]): Generator<StepState[]> {
  let group: StepState[] = []
  const paths = new Set<string>()
  for (const step of steps) {
    const { type, path } = step.told
    const isTogether =
      type === 'take' && group[0]?.told.type === 'take' && !paths.has(path) && group.length < filesAtOnce
    if (group.length > 0 && !isTogether) {
      yield group
      group = []
      paths.clear()
    }
    group.push(step)
    paths.add(path)
  }
  if (group.length > 0) yield group
}

/** Gives what people are told; the manifest is told the same. */
async function undoGroup(
  bench: Bench,
  group: readonly StepState[],
  state: RunState,
  isStopped: boolean,
): Promise<StepReport[]> {
  const { home, journal } = bench
  const endings: Ending[] = []
  using directories = new Directories()
  for (const step of group) {
    const path = actualPath(home.dir, step.told.path)
    endings.push({ step, path, way: await wayBack(home, path, step, state, isStopped), line: null, because: null })
  }
  const takes = endings.filter(({ way }) => way.act === 'put back')
  for (const each of takes) each.line = undoLine(each.step.told.step, each.path, bench.nowMs())
  await journal.append(...takes.flatMap(({ line }) => line ?? []))
  await inParallel(endings, async (each) => {
    each.because = await takeBack(bench, each, directories).catch(becauseOf)
  })
  directories.sync()
  await journal.report(...endings.flatMap((each) => lineOf(each, bench.nowMs())))
  return endings.map(({ step, because }) => stepReport(home, step, because, because === null))
}

/** What became of one step: taken back, or why not. */
interface Ending {
  step: StepState
  path: string
  way: Way
  line: UndoLine | null
  because: string | null
}

/** Null: it is taken back. */
async function takeBack(
  bench: Bench,
  { step, path, way, line }: Ending,
  directories: Directories,
): Promise<string | null> {
  const { told } = step
  switch (way.act) {
    case 'nothing':
      return null
    case 'leave':
      return way.because
    case 'put back':
      await putBack(bench, told as Told<'take'>, path, line?.fresh ?? '', directories)
      return null
    case 'replace':
      await replaceBack(bench, told as Told<'replace'>, way.judged)
      return null
    case 'merge': {
      const conflicts = await mergeBack(bench, told as Told<'replace'>, path)
      return conflicts.length === 0 ? null : `entries that have changed since were left: ${someOf(conflicts)}`
    }
    case 'remove':
      await removeCreated(bench, told.step, way.judged)
      return null
    case 'mode':
      await modeBack(bench, told as Told<'mode'>, way.judged)
      return null
  }
}

const keysMax = 3

function someOf(keys: readonly string[]): string {
  const more = keys.length - keysMax
  return keys.slice(0, keysMax).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

const expected = ['HOME_', 'ARCHIVE_', 'FILE_EXISTS', 'INDEX_UNREADABLE', 'MANIFEST_INVALID', 'STORE_FULL']

/** What ends one step and not the others. */
function becauseOf(error: unknown): string {
  if (isHoldfastError(error) && expected.some((code) => error.code.startsWith(code))) return error.message
  throw error
}

/** A step that was left alone is as done as before, and was perhaps not even announced. */
function lineOf({ step, way, because }: Ending, atMs: number): ManifestLine[] {
  if (because === null) return [{ type: 'undone', step: step.told.step, atMs }]
  return way.act === 'leave' ? [] : [{ type: 'redone', step: step.told.step, atMs, because }]
}

function stepReport(home: Territory, { told }: StepState, because: string | null, done: boolean): StepReport {
  const { kind, key, because: why } = told
  const bytes = told.type === 'mode' ? 0 : told.type === 'create' ? told.will.bytes : told.copy.bytes
  return { kind, path: actualPath(home.dir, told.path), key, because: why, bytes, done, left: because }
}

/** Nobody is still at work when one of them has failed. */
async function inParallel<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await act(item)
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(writersMax, items.length) }, worker))
  for (const each of ended) if (each.status === 'rejected') throw each.reason
}
