import type { Clock } from '../host/clock.ts'
import type { GatewayEvent } from './events.ts'
import { until } from './waiting.ts'

export interface LoggedEvent {
  /** `<process>-<n>`: names this process too, so that an id of an earlier one is seen to be foreign. */
  id: string
  atMs: number
  event: GatewayEvent
}

/** An hour of a busy gateway; ids and sizes only, so about 2 MB. */
const eventsMax = 10_000

/** The newest events, for whoever watches. Followers read the ring by place: a slow one gets a gap, not a queue. */
export class EventLog {
  readonly #process: string
  readonly #clock: Clock
  readonly #ring: LoggedEvent[] = []
  #published = 0
  #closed = false
  #grown = Promise.withResolvers<void>()

  constructor(process: string, clock: Clock) {
    this.#process = process
    this.#clock = clock
  }

  publish(event: GatewayEvent): void {
    if (this.#closed) return
    this.#published += 1
    this.#ring.push({ id: `${this.#process}-${this.#published}`, atMs: this.#clock.nowMs(), event })
    if (this.#ring.length > eventsMax) this.#ring.shift()
    this.#tell()
  }

  /**
   * Events after `afterId`, then new ones as they come; null starts with the next one. `gap` says that events are
   * missing before what follows: the id is of another process, or the ring has moved on. Ends with the signal or the log.
   */
  async *subscribe(
    afterId: string | null,
    signal?: AbortSignal,
  ): AsyncGenerator<LoggedEvent | { gap: true }, void, undefined> {
    let seen = afterId === null ? this.#published : this.#placeOf(afterId)
    while (signal?.aborted !== true) {
      const oldest = this.#published - this.#ring.length
      if (seen === null || seen < oldest) {
        seen = oldest
        yield { gap: true }
        continue
      }
      const next = this.#ring[seen - oldest]
      if (next !== undefined) {
        seen += 1
        yield next
        continue
      }
      if (this.#closed) return
      await this.#growth(signal)
    }
  }

  close(): void {
    this.#closed = true
    this.#tell()
  }

  async #growth(signal: AbortSignal | undefined): Promise<void> {
    try {
      await until(this.#grown.promise, signal)
    } catch (error) {
      if (signal?.aborted !== true) throw error
    }
  }

  #tell(): void {
    this.#grown.resolve()
    this.#grown = Promise.withResolvers<void>()
  }

  /** How many events came up to this id; null when this process did not give it. */
  #placeOf(id: string): number | null {
    const [process, text] = id.split(/-(?=\d+$)/)
    const place = Number(text)
    return process === this.#process && place <= this.#published ? place : null
  }
}
