import type { Clock } from '../host/clock.ts'

interface Sleeper {
  wakeAtMs: number
  wake: () => void
}

/** Time that stands still until a test moves it. Both clocks start where the constructor says. */
export class ManualClock implements Clock {
  #wallMs: number
  #steadyMs = 0
  #sleepers: Sleeper[] = []

  constructor(startMs = 1_750_000_000_000) {
    this.#wallMs = startMs
  }

  nowMs(): number {
    return this.#wallMs
  }

  steadyMs(): number {
    return this.#steadyMs
  }

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  /** How long until the next sleep ends; null when nobody sleeps. */
  get nextWakeMs(): number | null {
    const [first] = this.#sleepers
    return first === undefined ? null : first.wakeAtMs - this.#steadyMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper: Sleeper = { wakeAtMs: this.#steadyMs + Math.max(0, ms), wake: resolve }
    const abort = () => {
      this.#sleepers = this.#sleepers.filter((each) => each !== sleeper)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    sleeper.wake = () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    const after = this.#sleepers.findIndex((each) => each.wakeAtMs > sleeper.wakeAtMs)
    this.#sleepers.splice(after === -1 ? this.#sleepers.length : after, 0, sleeper)
    return promise
  }

  /**
   * Moves both clocks on. Sleeps end in the order of their times, each at its own time, and what a sleep held up runs
   * before the next one ends: a loop that sleeps 10 ms goes round ten times in `advance(100)`.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#steadyMs + ms
    for (;;) {
      const [next] = this.#sleepers
      if (next === undefined || next.wakeAtMs > endMs) break
      this.#sleepers.shift()
      this.#moveTo(next.wakeAtMs)
      next.wake()
      await afterPending()
    }
    this.#moveTo(endMs)
    await afterPending()
  }

  /**
   * Moves both clocks on at once, as for a process that was not given the processor: sleeps that end meanwhile end late, all of
   * them at the end, and a loop that sleeps 10 ms goes round once in `leap(100)`.
   */
  async leap(ms: number): Promise<void> {
    this.#moveTo(this.#steadyMs + ms)
    const due = this.#sleepers.filter((each) => each.wakeAtMs <= this.#steadyMs)
    this.#sleepers = this.#sleepers.slice(due.length)
    for (const sleeper of due) sleeper.wake()
    await afterPending()
  }

  /** The wall clock alone is set, forwards or back, as time synchronisation and people do. Nobody wakes. */
  jumpWall(ms: number): void {
    this.#wallMs += ms
  }

  #moveTo(steadyMs: number): void {
    this.#wallMs += steadyMs - this.#steadyMs
    this.#steadyMs = steadyMs
  }
}

/** After every microtask that is queued, and those that they queue. */
function afterPending(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
