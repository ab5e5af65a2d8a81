import type { Clock } from '../host/clock.ts'
import { type ErrorRecord, recordOf } from '../model/errors.ts'
import type { StoreTelemetry } from '../store/port.ts'
import type { GatewayEvent } from './events.ts'
import type { Telemetry } from './telemetry.ts'

/** Read-only times that are remembered to explain waits; a turn's wait rarely spans more than one. */
const spansMax = 64

/** A failure of work that is not tried again shows for this long: nothing else would ever take it off. */
const onceShownMs = 60_000

/** What is wrong at the moment: a store that cannot write, loops that fail. */
export class Watch {
  readonly #clock: Clock
  readonly #telemetry: Telemetry
  readonly #publish: (event: GatewayEvent) => void
  readonly #troubles = new Map<string, { error: ErrorRecord; untilMs: number }>()
  readonly #spans: { fromMs: number; toMs: number }[] = []
  #readOnly: { because: ErrorRecord; sinceMs: number } | null = null
  /** Called when the store can write again. */
  onWritable: () => void = () => {}

  constructor(clock: Clock, telemetry: Telemetry, publish: (event: GatewayEvent) => void) {
    this.#clock = clock
    this.#telemetry = telemetry
    this.#publish = publish
  }

  get storeTelemetry(): StoreTelemetry {
    return {
      verb: (name, ms, ok) => this.#telemetry.verb(name, ms, ok),
      commit: (ms, verbs) => this.#telemetry.commit(ms, verbs),
      writable: (writable, because) => this.#writable(writable, because),
    }
  }

  /** A loop that failed unexpectedly stays on the list until it has succeeded again. */
  trouble(loop: string, error: unknown): void {
    this.#troubles.set(loop, { error: recordOf(error), untilMs: Number.POSITIVE_INFINITY })
  }

  /** Work failed unexpectedly and is not tried again: on the list until its like succeeds, and a minute at most. */
  troubleOnce(work: string, error: unknown): void {
    this.#troubles.set(work, { error: recordOf(error), untilMs: this.#clock.steadyMs() + onceShownMs })
  }

  fine(loop: string): void {
    this.#troubles.delete(loop)
  }

  get store(): { writable: boolean; because: ErrorRecord | null } {
    return { writable: this.#readOnly === null, because: this.#readOnly?.because ?? null }
  }

  get because(): ErrorRecord | null {
    const nowMs = this.#clock.steadyMs()
    const lasting = [...this.#troubles.values()].find(({ untilMs }) => nowMs < untilMs)
    return this.#readOnly?.because ?? lasting?.error ?? null
  }

  /** How much of this time the store could not write. */
  readOnlyMs(fromMs: number, toMs: number): number {
    const open = this.#readOnly === null ? [] : [{ fromMs: this.#readOnly.sinceMs, toMs }]
    return [...this.#spans, ...open]
      .map((span) => Math.min(toMs, span.toMs) - Math.max(fromMs, span.fromMs))
      .reduce((sum, ms) => sum + Math.max(0, ms), 0)
  }

  #writable(writable: boolean, because: ErrorRecord | null): void {
    this.#telemetry.writable(writable, because)
    if (!writable) {
      const outcome = because ?? recordOf(new Error('read-only'))
      if (this.#readOnly === null) this.#publish({ type: 'store.read-only', outcome })
      this.#readOnly = { because: outcome, sinceMs: this.#readOnly?.sinceMs ?? this.#clock.nowMs() }
      return
    }
    if (this.#readOnly === null) return
    this.#spans.push({ fromMs: this.#readOnly.sinceMs, toMs: this.#clock.nowMs() })
    if (this.#spans.length > spansMax) this.#spans.shift()
    this.#readOnly = null
    this.#publish({ type: 'store.writable' })
    this.onWritable()
  }
}
