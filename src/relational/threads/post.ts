import { systemClock } from '../../host/clock.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { ThreadStart } from './calls.ts'
import { Line, type Listener } from './line.ts'

/** Before a thread is begun again that has ended twice or more; after the first time it is begun at once. */
const pauseMs = { first: 250, max: 10_000 }

/** An end after this long is not one more of a row. */
const calmMs = 60_000

/** What the owner of a post wants to hear besides what its thread says. */
export interface Watcher extends Omit<Listener, 'ended'> {
  /** The thread has ended, or has not come up again. What it had been asked is refused with STORE_IO. */
  lost(because: HoldfastError): void
  /** Another thread has taken its place. */
  back(): void
}

/** One role of a store, never without a thread for long: one that ends unexpectedly is replaced, with back-off. */
export class Post {
  readonly #start: ThreadStart
  readonly #watcher: Watcher
  #line: Line | null
  #startedMs = systemClock.steadyMs()
  #endsInARow = 0
  #next: { timer: NodeJS.Timeout; atMs: number; because: HoldfastError } | null = null
  #closed = false

  constructor(start: ThreadStart, watcher: Watcher) {
    this.#start = start
    this.#watcher = watcher
    this.#line = this.#begin()
  }

  /** Of the first thread; it rejects with the reason when that refuses to work. */
  get opened(): Promise<void> {
    return this.#line?.opened ?? Promise.resolve()
  }

  /** A thread has the post and works. */
  get manned(): boolean {
    return this.#line?.isOpen ?? false
  }

  call(verb: string, input: unknown): Promise<unknown> {
    try {
      return this.#manned().call(verb, input)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The same, once more when the thread ended over it: for what changes nothing. */
  async ask(verb: string, input: unknown): Promise<unknown> {
    const line = this.#manned()
    try {
      return await line.call(verb, input)
    } catch (error) {
      if (line === this.#line || this.#closed) throw error
      return this.call(verb, input)
    }
  }

  /** What was called before is still answered. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#next !== null) clearTimeout(this.#next.timer)
    await this.#line?.close()
  }

  /** @throws HoldfastError STORE_IO while the back-off lasts */
  #manned(): Line {
    if (this.#line !== null) return this.#line
    const waitMs = (this.#next?.atMs ?? 0) - systemClock.steadyMs()
    if (waitMs > 0 || this.#closed) throw outOfWork(this.#start.role, this.#next?.because, Math.ceil(waitMs))
    return this.#replace()
  }

  #begin(): Line {
    const { done, report } = this.#watcher
    this.#startedMs = systemClock.steadyMs()
    const line = new Line(this.#start, { done, report, ended: (because) => this.#ended(line, because) })
    return line
  }

  #replace(): Line {
    if (this.#next !== null) clearTimeout(this.#next.timer)
    const line = this.#begin()
    this.#line = line
    line.opened.then(
      () => this.#watcher.back(),
      () => {}, // its end is told as the one before
    )
    return line
  }

  #ended(line: Line, because: HoldfastError): void {
    if (this.#closed || line !== this.#line) return
    this.#line = null
    const nowMs = systemClock.steadyMs()
    this.#endsInARow = nowMs - this.#startedMs > calmMs ? 1 : this.#endsInARow + 1
    const more = this.#endsInARow - 2
    const waitMs = more < 0 ? 0 : Math.min(pauseMs.max, pauseMs.first * 2 ** Math.min(more, 30))
    const timer = setTimeout(() => this.#line ?? this.#replace(), waitMs).unref()
    this.#next = { timer, atMs: nowMs + waitMs, because }
    this.#watcher.lost(because)
  }
}

function outOfWork(role: string, reason: HoldfastError | undefined, waitMs: number): HoldfastError {
  const because = `the ${role} thread has ended${reason === undefined ? '' : ` (${reason.message})`}`
  return new HoldfastError('STORE_IO', { because }, { retryAfterMs: Math.max(1, waitMs) })
}
