import { systemClock } from '../../host/clock.ts'
import { type ErrorRecord, HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import { type Input, internalVerbs, type KeepVerbs, type Lines, type Output } from '../../relational/lines.ts'
import type { ReadVerbs } from '../../relational/read-verbs.ts'
import { programBeside } from '../../relational/threads/calls.ts'
import { Post } from '../../relational/threads/post.ts'
import type { WriteVerbs } from '../../relational/write-verbs.ts'
import type { StoreTelemetry, StoreVerbs } from '../../store/port.ts'
import { log, type Role, type ThreadData } from './calls.ts'

/** Opening is not slowed by a thread that has nothing to do yet. */
const keeperAfterMs = 500

/** How soon the store comes back after there was room again. */
const probeEveryMs = 1_000

const program = programBeside(import.meta.url, '../worker')

/** The three threads of one store. */
export class Threads implements Lines {
  /** Writes refused because their fence was old. */
  fencedWrites = 0
  writable = true
  readonly shared = false
  readonly clockAheadMs = 0
  /** The owner of the directory is alone. */
  readonly others = {
    announce: () => this.#open(undefined),
    listHolders: () => this.#open([]),
    takeDuty: () => this.#open(true),
  }
  readonly #data: Omit<ThreadData, 'role'>
  readonly #telemetry: StoreTelemetry
  readonly #writer: Post | null
  readonly #reader: Post
  #keeper: Post | null = null
  #keeperTimer: NodeJS.Timeout | null = null
  #probing: NodeJS.Timeout | null = null
  #closed = false

  constructor(data: Omit<ThreadData, 'role'>, telemetry: StoreTelemetry) {
    this.#data = data
    this.#telemetry = telemetry
    this.writable = !data.readOnly
    this.#writer = data.readOnly ? null : this.#post('writer')
    this.#reader = this.#post('reader')
  }

  /** @throws HoldfastError every STORE_ code of opening; the threads have ended then */
  async opened(): Promise<void> {
    try {
      await this.#writer?.opened
      await this.#reader.ask('checkReadable', null)
    } catch (error) {
      await this.close()
      throw error
    }
    if (this.#writer !== null) this.#keeperTimer = setTimeout(() => this.#startKeeper(), keeperAfterMs).unref()
  }

  /** A reader keeps a long log from being brought in. */
  get logPinned(): boolean {
    return Atomics.load(new Int32Array(this.#data.log), log.pinned) === 1
  }

  write<N extends keyof WriteVerbs>(verb: N, input: Input<WriteVerbs, N>): Promise<Output<WriteVerbs, N>> {
    if (this.#closed) return closedStore()
    if (this.#writer === null) return Promise.reject(new HoldfastError('STORE_READ_ONLY'))
    return this.#writer.call(verb, input) as Promise<Output<WriteVerbs, N>>
  }

  read<N extends keyof ReadVerbs>(verb: N, input: Input<ReadVerbs, N>): Promise<Output<ReadVerbs, N>> {
    if (this.#closed) return closedStore()
    return this.#reader.ask(verb, input) as Promise<Output<ReadVerbs, N>>
  }

  keep<N extends keyof KeepVerbs>(verb: N, input: Input<KeepVerbs, N>): Promise<Output<KeepVerbs, N>> {
    if (this.#closed) return closedStore()
    return this.#startKeeper().call(verb, input) as Promise<Output<KeepVerbs, N>>
  }

  /** A verb of the keeper that writes. */
  tend<N extends keyof KeepVerbs>(verb: N, input: Input<KeepVerbs, N>): Promise<Output<KeepVerbs, N>> {
    if (this.#writer === null && !this.#closed) return Promise.reject(new HoldfastError('STORE_READ_ONLY'))
    return this.keep(verb, input)
  }

  /**
   * What was called is answered first. The writer goes last: its end brings the log into the database. `beforeWriter` is
   * called while the directory is still ours.
   */
  async close(beforeWriter: () => void = () => {}): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#keeperTimer !== null) clearTimeout(this.#keeperTimer)
    if (this.#probing !== null) clearInterval(this.#probing)
    await Promise.all([this.#reader.close(), this.#keeper?.close()])
    if (this.#writer?.manned) beforeWriter()
    await this.#writer?.close()
  }

  #open<T>(value: T): Promise<T> {
    return this.#closed ? closedStore() : Promise.resolve(value)
  }

  #startKeeper(): Post {
    this.#keeper ??= this.#post('keeper')
    return this.#keeper
  }

  /** Without its writer the store is read-only, as on a full disk. */
  #post(role: Role): Post {
    const isWriter = role === 'writer'
    return new Post(
      { program, role, data: { ...this.#data, role } },
      {
        lost: (because) => isWriter && this.#turned(false, recordOf(because)),
        back: () => isWriter && this.#turned(true, null),
        done: (verb, ms, error) => {
          if (error?.code === 'FENCED') this.fencedWrites += 1
          if (!internalVerbs.has(verb)) this.#telemetry.verb(verb as keyof StoreVerbs, ms, error === null)
        },
        report: (report) => {
          if (report.kind === 'committed') this.#telemetry.commit(report.ms, report.verbs)
          else if (report.kind === 'writable') this.#turned(report.writable, report.because)
        },
      },
    )
  }

  #turned(writable: boolean, because: ErrorRecord | null): void {
    this.writable = writable
    this.#telemetry.writable(writable, because)
    if (this.#probing !== null) clearInterval(this.#probing)
    this.#probing = writable ? null : setInterval(() => void this.#probe(), probeEveryMs).unref()
  }

  /** The writer itself says when it is writable again. */
  async #probe(): Promise<void> {
    try {
      await this.write('probe', { atMs: systemClock.nowMs() })
    } catch (error) {
      if (!isHoldfastError(error)) throw error
    }
  }
}

function closedStore<T>(): Promise<T> {
  return Promise.reject(new HoldfastError('STORE_CLOSED'))
}
