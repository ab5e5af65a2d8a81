import { setImmediate as afterEvents, setTimeout as afterMs } from 'node:timers/promises'
import type { OpenStore } from '../../src/store/port.ts'
import type { ManualClock } from '../../src/testing/clock.ts'

/** A sweep sleeps this long between its batches, and while turns wait. */
const breathMaxMs = 50

/** Calls of a store that are not answered yet: while there are some, time must not pass. */
export class Calls {
  readonly #open = new Set<Promise<unknown>>()

  /** `mark` is told of each verb as it is called. */
  counting(open: OpenStore, mark: (verb: string) => void): OpenStore {
    return async (input) => {
      const store = await open(input)
      return new Proxy(store, {
        get: (target, name) => {
          const verb = Reflect.get(target, name)
          if (typeof verb !== 'function') return verb
          return (...given: unknown[]) => {
            const call: Promise<unknown> = verb.apply(target, given)
            const answered = call.catch(() => {}).finally(() => this.#open.delete(answered)) // its caller hears of it
            this.#open.add(answered)
            mark(String(name))
            return call
          }
        },
      })
    }
  }

  /** Until nothing happens any more unless time passes. What `isBusy` takes its breaths, and comes to its end. */
  async rest(clock: ManualClock, isBusy: () => boolean): Promise<void> {
    for (let calm = 0; calm < 3; ) {
      const wakeMs = clock.nextWakeMs
      if (this.#open.size > 0) await Promise.race(this.#open)
      else if (!isBusy()) await afterEvents()
      else if (wakeMs !== null && wakeMs <= breathMaxMs) await clock.advance(wakeMs)
      else await afterMs(1)
      calm = this.#open.size > 0 || isBusy() ? 0 : calm + 1
    }
  }
}
