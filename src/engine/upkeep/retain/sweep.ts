import { ArchiveFolder, removeFolder } from '../../../archive/folder.ts'
import type { Shelves } from '../../../archive/shelves.ts'
import type { ArchivePlace } from '../../../model/archives.ts'
import { isHoldfastError } from '../../../model/errors.ts'
import type { ClockVerdict } from '../../../retention/clock.ts'
import { planRetention, type RetentionPlan } from '../../../retention/plan.ts'
import type { RetentionPolicy } from '../../../retention/policy.ts'
import type { FolderFacts, RetentionStep } from '../../../retention/steps.ts'
import { pause } from '../../waiting.ts'
import type { SweepEvent, SweepReport } from './report.ts'
import { deleteFolder, type Keeping, moveFolder, wordOf } from './settle.ts'
import { TakeOut, type TakeOutStep } from './take-out.ts'

/** Of each list of facts. A preview has one round, so it reads further; a short list is read again longer when it hides something. */
const listLimits = { round: 200, deep: 1_000 }
const stepsMax = { round: 400, preview: 100_000 }
/** One sweep; what is left goes with the next. */
const sweepMaxMs = 30 * 60_000
/** Between two batches, so that whoever waits for a thread or the disk comes first. */
const breathMs = 5
/** While turns wait, a batch waits with them, but not for ever: a gateway that is always busy grows too. */
const yieldMs = { each: 50, max: 5_000 }
/** Rows deleted and pages given back by one verb: a few milliseconds of the writer. */
const purgeRows = 500
const givePages = 128
/** A new folder when one has so much: what is undone, moved or deleted goes by folders, and a manifest is parsed at once. */
const folderLimits = { bytes: 256 * 1024 * 1024, transcripts: 1_000 }

export interface SweepHands {
  keeping: Keeping
  shelves: Shelves
  policy: RetentionPolicy
  signal: AbortSignal
  /** Looks at the clock again. */
  judge(): Promise<ClockVerdict>
  turnsWait(): Promise<boolean>
}

/** One sweep: rounds of facts, plan, steps, until nothing is left, its time is up, or it is told to stop. */
export class Sweep {
  readonly #hands: SweepHands
  readonly #apply: boolean
  readonly #stayed = new Set<string>()
  readonly #folders = new Map<ArchivePlace, ArchiveFolder>()
  readonly report: SweepReport
  #folderCount = 0
  #startSteadyMs: number

  constructor(hands: SweepHands, sweep: string, apply: boolean, clock: ClockVerdict) {
    const { keeping } = hands
    this.#hands = hands
    this.#apply = apply
    this.#startSteadyMs = keeping.clock.steadyMs()
    const atMs = keeping.clock.nowMs()
    const zeros = { sessions: 0, transcripts: 0, entries: 0, bytes: 0, packedBytes: 0, toTrash: 0, deleted: 0 }
    const more = { deletedBytes: 0, stayed: 0, manifests: [], more: false, overBudget: null, worstStepMs: 0 }
    this.report = { sweep, applied: apply, atMs, endedAtMs: atMs, ...zeros, ...more, clock }
  }

  async *run(): AsyncGenerator<SweepEvent, void, undefined> {
    const { keeping } = this.#hands
    try {
      yield* this.#apply ? this.#rounds() : this.#preview()
    } finally {
      for (const folder of this.#folders.values()) await this.#leave(folder)
      this.report.endedAtMs = keeping.clock.nowMs()
    }
    yield { type: 'done', report: this.report }
  }

  async *#preview(): AsyncGenerator<SweepEvent, void, undefined> {
    const plan = await this.#plan(false, listLimits.deep)
    this.report.more = plan.more
    this.report.overBudget = plan.overBudget
    for (const step of plan.steps) {
      this.#count(step)
      yield { type: 'step', step, outcome: 'planned', because: null }
    }
  }

  async *#rounds(): AsyncGenerator<SweepEvent, void, undefined> {
    let draining = false
    let limit = listLimits.round
    for (;;) {
      const plan = await this.#plan(draining, limit)
      draining = plan.draining
      this.report.overBudget = plan.overBudget
      if (plan.steps.length === 0) {
        if (!plan.more || limit === listLimits.deep) return
        limit = listLimits.deep
        continue
      }
      for await (const event of this.#carryOut(plan)) {
        yield event
        if (this.#isOver()) break
      }
      await this.#giveSpaceBack()
      if (this.report.clock.kind === 'suspect') return
      if (this.#isOver()) {
        this.report.more = true
        return
      }
    }
  }

  async #plan(draining: boolean, limit: number): Promise<RetentionPlan> {
    const { keeping, shelves, policy } = this.#hands
    const nowMs = keeping.clock.nowMs()
    const facts = await keeping.store.readRetention({ limit, activeBeforeMs: nowMs - policy.recentMs })
    const folders: FolderFacts[] = await shelves.read()
    const stayed = this.#stayed
    const most = this.#apply ? stepsMax.round : stepsMax.preview
    return planRetention({ facts, limit, folders, policy, nowMs, draining, stayed, stepsMax: most })
  }

  async *#carryOut({ steps }: RetentionPlan): AsyncGenerator<SweepEvent, void, undefined> {
    for (const step of steps) {
      if (step.kind === 'take out') continue
      if (this.#isOver() || !(await this.#mayGoOn())) return
      yield await this.#onFolder(step)
    }
    for (const [end, place] of [
      ['archive', 'archives'],
      ['trash', 'trash'],
    ] as const) {
      const going = steps.filter((step): step is TakeOutStep => step.kind === 'take out' && step.end === end)
      if (going.length > 0) yield* this.#takeOut(going, place)
    }
  }

  async *#takeOut(steps: TakeOutStep[], place: ArchivePlace): AsyncGenerator<SweepEvent, void, undefined> {
    const { keeping } = this.#hands
    const work = new TakeOut(keeping, steps)
    const left = new Map(
      steps.flatMap((step) => {
        const of = { step, transcripts: step.transcripts.length, isTold: false }
        return step.transcripts.map((transcript) => [wordOf({ key: step.key, transcript }), of] as const)
      }),
    )
    while (!work.isDone) {
      if (this.#isOver() || !(await this.#mayGoOn())) return
      const folder = await this.#folderIn(place)
      const batch = await work.next(folder, (act) => this.#timed(act))
      this.report.packedBytes += batch.packedBytes
      this.report.bytes += batch.taken.reduce((sum, { bytes }) => sum + bytes, 0)
      this.report.entries += batch.taken.reduce((sum, { entries }) => sum + entries, 0)
      this.report.transcripts += batch.taken.length
      this.report.sessions += batch.taken.filter(({ whole }) => whole).length
      const taken = batch.taken.map((name) => ({ name, why: null }))
      const stayed = batch.stayed.map((name) => ({ name, why: name.because }))
      for (const { name, why } of [...taken, ...stayed]) {
        const of = left.get(wordOf(name))
        if (of === undefined) continue
        of.transcripts -= 1
        if (of.isTold || (of.transcripts > 0 && why === null)) continue
        of.isTold = true
        if (why !== null) this.#stay(name.key)
        yield { type: 'step', step: of.step, outcome: why === null ? 'done' : 'stayed', because: why }
      }
      await this.#purge()
    }
  }

  async #onFolder(step: Exclude<RetentionStep, TakeOutStep>): Promise<SweepEvent> {
    const { keeping, policy } = this.#hands
    const place = step.kind === 'to trash' ? 'archives' : step.kind === 'delete' ? 'trash' : step.place
    const name = { place, folder: step.folder }
    try {
      if (step.kind === 'forget') {
        await removeFolder(keeping.root, name)
      } else {
        await using folder = await ArchiveFolder.open(keeping.root, name)
        if (folder !== null && step.kind === 'delete') await deleteFolder(keeping, folder, step.because)
        else if (folder !== null) {
          const expiresAtMs = keeping.clock.nowMs() + policy.trashMaxMs
          await moveFolder(keeping, folder, { place: 'trash', expiresAtMs, because: step.because })
        }
      }
      this.#count(step)
      return { type: 'step', step, outcome: 'done', because: null }
    } catch (error) {
      if (!isHoldfastError(error, 'ARCHIVE_DAMAGED')) throw error
      keeping.log.error({ folder: step.folder, because: error.message }, 'a folder of archives is damaged')
      this.#stay(step.folder)
      return { type: 'step', step, outcome: 'stayed', because: error.message }
    }
  }

  #stay(name: string): void {
    this.report.stayed += this.#stayed.has(name) ? 0 : 1
    this.#stayed.add(name)
  }

  /** What is not counted as it happens. */
  #count(step: RetentionStep): void {
    const { report } = this
    switch (step.kind) {
      case 'take out':
        report.sessions += step.whole ? 1 : 0
        report.transcripts += step.transcripts.length
        report.entries += step.entries
        report.bytes += step.bytes
        return
      case 'to trash':
        report.toTrash += step.transcripts
        return
      case 'delete':
        report.deleted += step.transcripts
        report.deletedBytes += step.bytes
        return
      case 'forget':
    }
  }

  /** The open folder of this sweep in a place; a new one when there is none, or it is full. */
  async #folderIn(place: ArchivePlace): Promise<ArchiveFolder> {
    const { keeping, policy } = this.#hands
    const open = this.#folders.get(place)
    if (open !== undefined && open.bytes < folderLimits.bytes && open.items < folderLimits.transcripts) return open
    if (open !== undefined) await this.#leave(open)
    this.#folders.delete(place)
    this.#folderCount += 1
    const folder = `${this.report.sweep}-${this.#folderCount}`
    const atMs = keeping.clock.nowMs()
    const expiresAtMs = place === 'trash' ? atMs + policy.trashMaxMs : null
    const header = { folder, place, atMs, expiresAtMs, policy: { ...policy } }
    const made = await ArchiveFolder.create(keeping.root, {
      type: 'sweep',
      format: 'holdfast-manifest',
      version: 1,
      ...header,
    })
    this.#folders.set(place, made)
    this.report.manifests.push(`${place}/${folder}/manifest.jsonl`)
    return made
  }

  /** Nothing was put into it after all: then nobody needs it. */
  async #leave(folder: ArchiveFolder): Promise<void> {
    if (folder.state.bundles.size > 0) return await folder[Symbol.asyncDispose]()
    await folder.remove()
    const { report } = this
    report.manifests = report.manifests.filter((path) => !path.includes(folder.name))
  }

  #isOver(): boolean {
    const { keeping, signal } = this.#hands
    return signal.aborted || keeping.clock.steadyMs() - this.#startSteadyMs > sweepMaxMs
  }

  /** Lets turns go first. False: the clock has jumped meanwhile, or the sweep is to stop. */
  async #mayGoOn(): Promise<boolean> {
    const { keeping, signal, judge, turnsWait } = this.#hands
    let waitedMs = 0
    while (waitedMs < yieldMs.max && (await turnsWait())) {
      if (!(await pause(keeping.clock, yieldMs.each, signal))) return false
      waitedMs += yieldMs.each
    }
    if (!(await pause(keeping.clock, breathMs, signal))) return false
    this.report.clock = await judge()
    if (this.report.clock.kind === 'sane') return true
    this.report.more = true
    return false
  }

  async #purge(): Promise<void> {
    const { keeping, signal } = this.#hands
    while (await this.#timed(keeping.store.purge({ rowsMax: purgeRows }))) {
      if (!(await pause(keeping.clock, breathMs, signal))) return
    }
  }

  async #giveSpaceBack(): Promise<void> {
    const { keeping, signal } = this.#hands
    await this.#purge()
    for (let freeBefore = Number.POSITIVE_INFINITY; ; ) {
      const { freeBytes } = await this.#timed(keeping.store.giveBack({ pagesMax: givePages }))
      if (freeBytes === 0 || freeBytes >= freeBefore) return
      freeBefore = freeBytes
      if (!(await pause(keeping.clock, breathMs, signal))) return
    }
  }

  async #timed<T>(act: Promise<T>): Promise<T> {
    const { clock } = this.#hands.keeping
    const startMs = clock.steadyMs()
    const result = await act
    this.report.worstStepMs = Math.max(this.report.worstStepMs, clock.steadyMs() - startMs)
    return result
  }
}
