import type { Clock } from '../../host/clock.ts'
import type { Summary } from '../../model/sessions.ts'
import type { CompactionOutcome } from '../telemetry.ts'

export type CompactionState = 'idle' | 'scheduled' | 'running' | 'backing off'

export interface CompactionReport {
  state: CompactionState
  /** Since when it is in this state; null when idle. */
  sinceMs: number | null
  failuresInARow: number
  lastOutcome: CompactionOutcome | null
}

/** What is remembered of one session's compaction, in this process only. */
export class CompactionRecord {
  fixedTokens = 0
  failuresInARow = 0
  lastOutcome: CompactionOutcome | null = null
  /** It waits for its place among the concurrent ones, or has it. */
  scheduled = false
  /** The session grew since the last look at it. */
  again = false
  /** The summary in the making: one at a time for a session. */
  flight: Promise<Summary | null> | null = null
  #asking = false
  #pause: AbortController | null = null
  #sinceMs = 0

  get state(): CompactionState {
    if (this.#asking) return 'running'
    if (this.scheduled) return 'scheduled'
    return this.#pause === null ? 'idle' : 'backing off'
  }

  schedule(clock: Clock): void {
    this.scheduled = true
    this.#sinceMs = clock.nowMs()
  }

  asks(clock: Clock): void {
    this.#asking = true
    this.#sinceMs = clock.nowMs()
  }

  hasAsked(): void {
    this.#asking = false
    this.flight = null
  }

  /** The signal ends the pause early. */
  backOff(clock: Clock): AbortSignal {
    this.#pause = new AbortController()
    this.#sinceMs = clock.nowMs()
    return this.#pause.signal
  }

  endPause(): void {
    this.#pause?.abort()
    this.#pause = null
  }

  get paused(): boolean {
    return this.#pause !== null
  }

  report(): CompactionReport {
    const { state, failuresInARow, lastOutcome } = this
    return { state, sinceMs: state === 'idle' ? null : this.#sinceMs, failuresInARow, lastOutcome }
  }
}
