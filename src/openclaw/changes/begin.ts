import type { Clock } from '../../host/clock.ts'
import { randomId } from '../../host/random.ts'
import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Judged } from '../files/identity.ts'
import { takeWriterLock } from '../files/own/writer-lock.ts'
import type { EntryChange } from '../index/edit.ts'
import { type Desk, leftOf, type Shelf } from './desk.ts'
import { type HandedOver, handOver } from './hand-over.ts'
import type { BundleWriter } from './journal/bundle.ts'
import { Journal } from './journal/journal.ts'
import { changeMode, createFile, type FreshContent, type Replaced, replaceFile } from './put.ts'
import type { Left, Outcome, StepNote } from './run.ts'
import { settleHome } from './settle/settle.ts'
import { inBatches, type Taking, takeBatch } from './take.ts'
import type { Territory } from './territory.ts'

/** A bundle does not grow over this, so that what is old can be deleted in parts. Unit: bytes. */
const bundleBytesMax = 64 * 1024 ** 2

/** A run that has not begun: nothing is on disk before its first step. `command`: small letters, as the program names it. */
export function beginRun(home: Territory, command: string, outside: { clock: Clock }): Run {
  return new Run(home, command, outside.clock)
}

/**
 * One run of one command on one home, and the only way to change anything in it. Each step is told in the manifest and synced before it
 * is taken, and reported after; a file leaves its place, or gets other content, only when a verified copy is on disk, and only if
 * it still is what was judged. A step that cannot be taken changes nothing and says why. What fails otherwise (STORE_IO,
 * ARCHIVE_DAMAGED) ends the run; the next one finds out what was half-way (`settle`).
 */
export class Run implements AsyncDisposable {
  /** Lock files that the caller has taken itself: they keep this run out of nothing. Absolute paths. */
  readonly heldLocks = new Set<string>()
  readonly #home: Territory
  readonly #command: string
  readonly #clock: Clock
  #lock: Disposable | null = null
  #journal: Journal | null = null
  #steps = 0
  #isWhole = true
  readonly #bundles = new Map<Shelf, BundleWriter>()
  /** Are full; closed when no step uses them any more. */
  readonly #full: BundleWriter[] = []

  constructor(home: Territory, command: string, clock: Clock) {
    this.#home = home
    this.#command = command
    this.#clock = clock
  }

  /** Where its manifest is; null before the first step that changes anything. */
  get manifest(): string | null {
    return this.#journal === null || this.#journal.isEmpty ? null : this.#journal.path
  }

  /**
   * From now on nobody else changes the home, and no earlier run is half-way. Every step does this first.
   * @throws HoldfastError HOME_BUSY, HOME_UNSAFE, HOME_READ_ONLY, STORE_FULL, STORE_IO
   */
  async hold(): Promise<void> {
    if (this.#lock !== null) return
    this.#lock = takeWriterLock(this.#home.dir)
    await settleHome(this.#home, this.#clock.nowMs())
  }

  /** The file is in the archive and not in its place. @throws HoldfastError as `hold` */
  async archive(judged: Judged, note: StepNote): Promise<Outcome> {
    for await (const { outcome } of this.archiveMany([{ judged, note }])) return outcome
    throw new HoldfastError('INTERNAL', { because: 'a step without an outcome' })
  }

  /** The same for many, which share their syncs. Each is given back with its outcome, in order, when it is done. */
  async *archiveMany(items: Iterable<Taking>): AsyncGenerator<Taking & { outcome: Outcome }, void, undefined> {
    for (const batch of inBatches(items)) {
      for (let rest = batch; rest.length > 0; ) {
        const none = (left: Left) => rest.map(() => left)
        const outcomes = await this.#with<Outcome[]>((desk) => takeBatch(desk, rest), none)
        for (const [index, outcome] of outcomes.entries()) {
          const item = rest[index]
          if (item !== undefined) yield { ...item, outcome }
        }
        rest = rest.slice(outcomes.length)
      }
    }
  }

  /** The file has this content, its mode and its owner; `entries` tells what changes in an index. @throws HoldfastError as `hold` */
  async replace(
    judged: Judged,
    content: FreshContent,
    note: StepNote,
    entries: readonly EntryChange[] | null = null,
  ): Promise<Replaced> {
    return await this.#with<Replaced>((desk) => replaceFile(desk, judged, content, note, entries), asLeft)
  }

  /** The gateway changes its index, when it is asked by `act`. @throws HoldfastError as `hold`, and what `act` throws */
  async handOver(handed: HandedOver, note: StepNote): Promise<Outcome> {
    return await this.#with(
      (desk) => handOver(desk, handed, note),
      (left) => left,
    )
  }

  /** A new file (0600) in a directory that is there. @throws HoldfastError as `hold` */
  async create(path: string, content: FreshContent, note: StepNote): Promise<Outcome> {
    return await this.#with<Outcome>((desk) => createFile(desk, path, content, note), asLeft)
  }

  /** Permission bits of a file or directory. @throws HoldfastError as `hold` */
  async setMode(judged: Judged, mode: number, note: StepNote): Promise<Outcome> {
    return await this.#with<Outcome>((desk) => changeMode(desk, judged, mode, note), asLeft)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _ = this.#lock
    this.#lock = null
    const journal = this.#journal
    this.#journal = null
    for (const bundle of [...this.#full.splice(0), ...this.#bundles.values()]) await bundle[Symbol.asyncDispose]()
    this.#bundles.clear()
    if (journal === null) return
    await using closing = journal
    if (closing.isEmpty) await closing.discard()
    else if (this.#isWhole) await closing.settled(this.#clock.nowMs())
  }

  /** A disk without room for the first line ends a step and not the program. */
  async #with<T>(act: (desk: Desk) => Promise<T>, refused: (left: Left) => T): Promise<T> {
    await this.hold()
    try {
      this.#journal ??= await Journal.begin(this.#home.dir, this.#header())
    } catch (error) {
      if (!isHoldfastError(error, 'STORE_FULL')) throw error
      return refused(leftOf(error))
    }
    for (const bundle of this.#full.splice(0)) await bundle[Symbol.asyncDispose]()
    try {
      return await act(this.#desk(this.#journal))
    } catch (error) {
      this.#isWhole = false
      throw error
    }
  }

  #desk(journal: Journal): Desk {
    return {
      home: this.#home,
      journal,
      heldLocks: this.heldLocks,
      nowMs: () => this.#clock.nowMs(),
      nextStep: () => {
        this.#steps += 1
        return this.#steps
      },
      bundleFor: async (shelf) => {
        const open = this.#bundles.get(shelf)
        if (open !== undefined && open.bytes < bundleBytesMax) return open
        if (open !== undefined) this.#full.push(open)
        const fresh = await journal.newBundle()
        this.#bundles.set(shelf, fresh)
        return fresh
      },
    }
  }

  #header() {
    const atMs = this.#clock.nowMs()
    const time = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '')
    const run = `${time}-${this.#command}-${randomId().slice(0, 8)}`
    const format = 'holdfast-changes' as const
    return {
      type: 'run' as const,
      format,
      version: 1 as const,
      run,
      home: this.#home.dir,
      command: this.#command,
      atMs,
    }
  }
}

function asLeft(left: Left): Left {
  return left
}
