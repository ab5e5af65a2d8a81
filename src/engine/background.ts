import type { Clock } from '../host/clock.ts'
import type { Log } from '../host/log.ts'
import { isHoldfastError, recordOf } from '../model/errors.ts'
import { backoffMs, pause } from './waiting.ts'
import type { Watch } from './watch.ts'

/** A loop that fails for a reason nobody foresaw comes back soon at first, and never floods the log. */
const loopBackoffMs = { first: 250, max: 60_000 }

/** Work that nobody awaits: it never becomes an unhandled rejection, and `idle` knows when all of it has ended. */
export class Background {
  readonly #clock: Clock
  readonly #log: Log
  readonly #watch: Watch
  readonly #over: AbortSignal
  readonly #works = new Set<Promise<unknown>>()

  /** Nothing is tried again after `over`. */
  constructor(clock: Clock, log: Log, watch: Watch, over: AbortSignal) {
    this.#clock = clock
    this.#log = log
    this.#watch = watch
    this.#over = over
  }

  /** What escapes from `work` is a fault of ours: it is logged, and shows in `health()` for a minute, or until the like succeeds. */
  run(name: string, work: () => Promise<void>): void {
    this.#keep(this.#succeeds(name, work, (error) => this.#watch.troubleOnce(name, error)))
  }

  /** The same, begun again with back-off until it has ended well. */
  insist(name: string, work: () => Promise<void>): void {
    this.#keep(this.#repeat(name, work))
  }

  async idle(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works)
  }

  #keep(work: Promise<unknown>): void {
    const kept = work.finally(() => this.#works.delete(kept))
    this.#works.add(kept)
  }

  async #repeat(name: string, work: () => Promise<void>): Promise<void> {
    const trouble = (error: unknown) => this.#watch.trouble(name, error)
    for (let failures = 1; !(await this.#succeeds(name, work, trouble)); failures += 1) {
      if (!(await pause(this.#clock, backoffMs(failures, loopBackoffMs), this.#over))) return
    }
  }

  /** A closed store is an end like any other. */
  async #succeeds(name: string, work: () => Promise<void>, trouble: (error: unknown) => void): Promise<boolean> {
    try {
      await work()
      this.#watch.fine(name)
      return true
    } catch (error) {
      if (isHoldfastError(error, 'STORE_CLOSED')) return true
      trouble(error)
      this.#log.error({ loop: name, ...recordOf(error) }, 'a background loop failed')
      return false
    }
  }
}
