import { systemClock } from '../../host/clock.ts'
import { type ErrorRecord, HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import { type Input, internalVerbs, type KeepVerbs, type Lines, type Output } from '../../relational/lines.ts'
import type { ReadVerbs } from '../../relational/read-verbs.ts'
import { programBeside } from '../../relational/threads/calls.ts'
import { Post } from '../../relational/threads/post.ts'
import type { WriteVerbs } from '../../relational/write-verbs.ts'
import type { LivingHolder } from '../../store/holders.ts'
import type { StoreTelemetry, StoreVerbs } from '../../store/port.ts'
import { beatsBytes, type ThreadData } from './data.ts'

const program = programBeside(import.meta.url, '../worker')

/** How often the main thread shows that it makes progress. Unit: ms. */
const beatEveryMs = 1_000

/** How soon the store comes back after the database was out of reach. Unit: ms. */
const probeEveryMs = 1_000

/** The thread that has the connections, as the main thread sees it. */
export class Threads implements Lines {
  fencedWrites = 0
  writable = true
  readonly logPinned = false
  readonly shared = true
  clockAheadMs = 0
  readonly others: Lines['others'] = {
    announce: async (input) => void (await this.#call('announce', input)),
    listHolders: async () => (await this.#ask('listHolders', null)) as LivingHolder[],
    takeDuty: async (input) => (await this.#call('takeDuty', input)) as boolean,
  }
  readonly #readOnly: boolean
  readonly #telemetry: StoreTelemetry
  readonly #post: Post
  readonly #beating: NodeJS.Timeout
  #probing: NodeJS.Timeout | null = null
  #closed = false

  constructor(data: Omit<ThreadData, 'beats'>, telemetry: StoreTelemetry) {
    const beats = new SharedArrayBuffer(beatsBytes)
    this.#telemetry = telemetry
    this.#readOnly = data.holder === null
    this.writable = !this.#readOnly
    this.#beating = setInterval(() => Atomics.add(new Int32Array(beats), 0, 1), beatEveryMs).unref()
    this.#post = new Post(
      { program, role: 'store', data: { ...data, beats } satisfies ThreadData },
      {
        lost: (because) => this.#turned(false, recordOf(because)),
        back: () => this.#turned(true, null),
        done: (verb, ms, error) => {
          if (error?.code === 'FENCED') this.fencedWrites += 1
          if (!internalVerbs.has(verb)) this.#telemetry.verb(verb as keyof StoreVerbs, ms, error === null)
        },
        report: (report) => {
          if (report.kind === 'committed') this.#telemetry.commit(report.ms, report.verbs)
          else if (report.kind === 'clock') this.clockAheadMs = report.aheadMs
          else this.#turned(report.writable, report.because)
        },
      },
    )
  }

  /** @throws HoldfastError every STORE_ code of opening; the thread has ended then */
  async opened(): Promise<void> {
    try {
      await this.#post.opened
    } catch (error) {
      await this.close()
      throw error
    }
  }

  write<N extends keyof WriteVerbs>(verb: N, input: Input<WriteVerbs, N>): Promise<Output<WriteVerbs, N>> {
    if (this.#readOnly && !this.#closed) return Promise.reject(new HoldfastError('STORE_READ_ONLY'))
    return this.#call(verb, input) as Promise<Output<WriteVerbs, N>>
  }

  read<N extends keyof ReadVerbs>(verb: N, input: Input<ReadVerbs, N>): Promise<Output<ReadVerbs, N>> {
    return this.#ask(verb, input) as Promise<Output<ReadVerbs, N>>
  }

  keep<N extends keyof KeepVerbs>(verb: N, input: Input<KeepVerbs, N>): Promise<Output<KeepVerbs, N>> {
    return this.#ask(verb, input) as Promise<Output<KeepVerbs, N>>
  }

  tend<N extends keyof KeepVerbs>(verb: N, input: Input<KeepVerbs, N>): Promise<Output<KeepVerbs, N>> {
    if (this.#readOnly && !this.#closed) return Promise.reject(new HoldfastError('STORE_READ_ONLY'))
    return this.keep(verb, input)
  }

  /** What was called is answered first. */
  async close(atClose: () => void = () => {}): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#beating)
    if (this.#probing !== null) clearInterval(this.#probing)
    await this.#post.close()
    atClose()
  }

  #call(verb: string, input: unknown): Promise<unknown> {
    return this.#closed ? Promise.reject(new HoldfastError('STORE_CLOSED')) : this.#post.call(verb, input)
  }

  #ask(verb: string, input: unknown): Promise<unknown> {
    return this.#closed ? Promise.reject(new HoldfastError('STORE_CLOSED')) : this.#post.ask(verb, input)
  }

  #turned(writable: boolean, because: ErrorRecord | null): void {
    if (this.#readOnly) return
    this.writable = writable
    this.#telemetry.writable(writable, because)
    if (this.#probing !== null) clearInterval(this.#probing)
    this.#probing = writable ? null : setInterval(() => void this.#probe(), probeEveryMs).unref()
  }

  /** The thread itself says when it can write again. */
  async #probe(): Promise<void> {
    try {
      await this.write('probe', { atMs: systemClock.nowMs() })
    } catch (error) {
      if (!isHoldfastError(error)) throw error
    }
  }
}
