import { isOverSoftLimit, planAfterFailure } from '../compaction/plan.ts'
import type { Clock } from '../host/clock.ts'
import type { Log } from '../host/log.ts'
import { type ErrorCode, HoldfastError, isHoldfastError, recordOf } from '../model/errors.ts'
import type { SessionKey } from '../model/keys.ts'
import type { Session, Summary } from '../model/sessions.ts'
import type { Store } from '../store/port.ts'
import { CompactionRecord, type CompactionReport } from './compact/record.ts'
import { makeSummary, sizeOf } from './compact/summary.ts'
import type { GatewayEvent } from './events.ts'
import type { Summarizer } from './runner.ts'
import type { EngineSettings } from './settings.ts'
import type { CompactionOutcome, Telemetry } from './telemetry.ts'
import { pause, until } from './waiting.ts'

export interface CompactorDeps {
  store: Store
  clock: Clock
  telemetry: Telemetry
  settings: EngineSettings
  /** Null: summaries are made without a model. */
  summarize: Summarizer | null
  publish(event: GatewayEvent): void
  log: Log
}

/** Sessions of which the last outcome is remembered, for `why`. */
const recordsMax = 10_000
/** Reads again at most so often when others change the summaries meanwhile. */
const staleMax = 3

/** What a failure of the summariser is called; other errors are the store's. */
const summariserFailures: Partial<Record<ErrorCode, CompactionOutcome>> = {
  SUMMARY_TIMEOUT: 'timeout',
  SUMMARY_REFUSED: 'refused',
  SUMMARY_FAILED: 'failed',
}

/**
 * Makes summaries in the background. Takes no lease and holds nothing while it waits, so that no turn ever waits for it
 * (P2): what it read may be outdated when the answer comes, and then the store refuses the commit.
 */
export class Compactor {
  readonly #deps: CompactorDeps
  readonly #records = new Map<SessionKey, CompactionRecord>()
  readonly #waiting: SessionKey[] = []
  readonly #byHand: (() => void)[] = []
  readonly #works = new Set<Promise<void>>()
  readonly #closing = new AbortController()
  #running = 0

  constructor(deps: CompactorDeps) {
    this.#deps = deps
  }

  /**
   * Schedules a summary when the context is over its soft limit; never waits.
   * @param fixedTokens of instructions and tools in the last turn, by the meter: room that history does not have
   */
  considerSoon(session: Session, fixedTokens = 0): void {
    const { settings } = this.#deps
    if (this.#closing.signal.aborted || !settings.compaction.enabled) return
    if (!isOverSoftLimit(sizeOf(session, settings, fixedTokens))) return
    const record = this.#record(session.key)
    record.fixedTokens = fixedTokens
    record.again = true
    if (!record.scheduled && !record.paused) this.#schedule(session.key, record)
  }

  /**
   * Makes a summary now, whatever the size of the context and however often it failed before; or joins the one in the
   * making. @throws HoldfastError SUMMARY_NOTHING_TO_DO, SESSION_NOT_FOUND, GATEWAY_CLOSING, and the reason why none was made
   */
  async compactNow(key: SessionKey, signal?: AbortSignal): Promise<Summary> {
    this.#closing.signal.throwIfAborted()
    const record = this.#record(key)
    const joined = await landed(record, signal)
    if (joined !== null) return joined
    await this.#takePlace(signal)
    try {
      const made = (await landed(record, signal)) ?? (await this.#attempt(key, record, true, signal))
      if (made === null) throw new HoldfastError('SUMMARY_NOTHING_TO_DO', { key })
      return made
    } finally {
      this.#leavePlace()
    }
  }

  stateOf(key: SessionKey): CompactionReport {
    return (this.#records.get(key) ?? new CompactionRecord()).report()
  }

  /** There may be more places than before. */
  wake(): void {
    this.#startWaiting()
  }

  /** Abandons what is in the making. */
  async close(): Promise<void> {
    this.#closing.abort(new HoldfastError('GATEWAY_CLOSING'))
    await Promise.all(this.#works)
  }

  #record(key: SessionKey): CompactionRecord {
    const record = this.#records.get(key) ?? new CompactionRecord()
    this.#records.set(key, record)
    if (this.#records.size > recordsMax) {
      for (const [other, { state }] of this.#records) {
        if (other === key || state !== 'idle') continue
        this.#records.delete(other)
        break
      }
    }
    return record
  }

  #schedule(key: SessionKey, record: CompactionRecord): void {
    record.schedule(this.#deps.clock)
    this.#waiting.push(key)
    this.#startWaiting()
  }

  #startWaiting(): void {
    while (this.#running < this.#deps.settings.compaction.concurrency && !this.#closing.signal.aborted) {
      const key = this.#waiting.shift()
      if (key === undefined) return
      this.#running += 1
      const record = this.#record(key)
      this.#inBackground(async () => {
        try {
          await this.#shorten(key, record)
        } finally {
          record.scheduled = false
          this.#leavePlace()
        }
      })
    }
  }

  /** What is asked for by hand counts among the concurrent ones too, and goes before those that nobody waits for. */
  async #takePlace(signal: AbortSignal | undefined): Promise<void> {
    if (this.#running < this.#deps.settings.compaction.concurrency) {
      this.#running += 1
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#byHand.push(resolve)
    const signals = signal === undefined ? [this.#closing.signal] : [signal, this.#closing.signal]
    try {
      await until(promise, AbortSignal.any(signals))
    } catch (error) {
      const at = this.#byHand.indexOf(resolve)
      if (at === -1)
        this.#leavePlace() // it was given the place in the same moment
      else this.#byHand.splice(at, 1)
      throw error
    }
  }

  #leavePlace(): void {
    const next = this.#byHand.shift()
    if (next !== undefined) {
      next() // the place is handed on
      return
    }
    this.#running -= 1
    this.#startWaiting()
  }

  /** What escapes from `work` is a fault of ours or of what was passed in; nobody awaits it, so it ends in the log. */
  #inBackground(work: () => Promise<void>): void {
    const running: Promise<void> = work()
      .catch((error) => this.#deps.log.error(recordOf(error), 'background compaction failed'))
      .finally(() => this.#works.delete(running))
    this.#works.add(running)
  }

  /** Until the context is below its soft limit, nothing is left to replace, or something fails. */
  async #shorten(key: SessionKey, record: CompactionRecord): Promise<void> {
    let stale = 0
    do {
      await landed(record)
      record.again = false
      try {
        if ((await this.#attempt(key, record, false)) !== null) record.again = true
      } catch (error) {
        if (this.#closing.signal.aborted || isHoldfastError(error, 'SESSION_NOT_FOUND')) break
        if (!isHoldfastError(error, 'SUMMARY_STALE')) return this.#backOff(key, record)
        stale += 1
        record.again = stale < staleMax
      }
    } while (record.again)
  }

  #backOff(key: SessionKey, record: CompactionRecord): void {
    const { clock, settings } = this.#deps
    const next = planAfterFailure(Math.max(1, record.failuresInARow), settings.compaction)
    const ms = next.kind === 'wait' ? next.ms : settings.compaction.backoffMs.max
    const signal = AbortSignal.any([record.backOff(clock), this.#closing.signal])
    this.#inBackground(async () => {
      if (!(await pause(clock, ms, signal))) return
      record.endPause()
      this.#schedule(key, record)
    })
  }

  /** One summary, with what is told about it. The last failure that is allowed ends in a mechanical one. */
  #attempt(
    key: SessionKey,
    record: CompactionRecord,
    forced: boolean,
    signal: AbortSignal = this.#closing.signal,
  ): Promise<Summary | null> {
    const { settings, summarize } = this.#deps
    const stop = AbortSignal.any([signal, this.#closing.signal])
    const flight = (async () => {
      try {
        return await this.#measured(key, record, { forced, summarize, signal: stop })
      } catch (error) {
        if (!isSummariserFailure(error)) throw error
        record.failuresInARow += 1
        const next = planAfterFailure(record.failuresInARow, settings.compaction)
        if (next.kind === 'wait' || summarize === null) throw error
        return await this.#measured(key, record, { forced, summarize: null, signal: stop })
      } finally {
        record.hasAsked()
      }
    })()
    record.flight = flight
    return flight
  }

  async #measured(
    key: SessionKey,
    record: CompactionRecord,
    how: { forced: boolean; summarize: Summarizer | null; signal: AbortSignal },
  ): Promise<Summary | null> {
    const { clock, telemetry, publish, log } = this.#deps
    const fromMs = clock.steadyMs()
    const ended = (outcome: CompactionOutcome) => {
      record.lastOutcome = outcome
      telemetry.compaction(outcome, clock.steadyMs() - fromMs)
    }
    const started = () => {
      record.asks(clock)
      publish({ type: 'summary.started', sessionKey: key })
    }
    try {
      const made = await makeSummary(this.#deps, { key, fixedTokens: record.fixedTokens, ...how, started })
      if (made === null) return null
      const { summary, contextTokens } = made
      ended(summary.kind === 'model' ? 'committed' : 'mechanical')
      record.endPause()
      // After a mechanical one the summariser is tried again, once.
      record.failuresInARow = summary.kind === 'model' ? 0 : Math.max(0, record.failuresInARow - 1)
      publish({
        type: 'summary.committed',
        sessionKey: key,
        summaryId: summary.id,
        kind: summary.kind,
        tokensBefore: contextTokens.before,
        tokensAfter: contextTokens.after,
      })
      log.info({ session: key, summary: summary.id, kind: summary.kind, ...contextTokens }, 'context summarised')
      return summary
    } catch (error) {
      if (how.signal.aborted || isHoldfastError(error, 'SESSION_NOT_FOUND')) throw error
      if (isHoldfastError(error, 'SUMMARY_STALE')) {
        ended('stale')
        throw error
      }
      ended((isHoldfastError(error) && summariserFailures[error.code]) || 'failed')
      const outcome = recordOf(error)
      publish({ type: 'summary.failed', sessionKey: key, outcome })
      log.warn({ session: key, ...outcome }, 'no summary was made; turns are not affected')
      throw error
    }
  }
}

function isSummariserFailure(error: unknown): boolean {
  return isHoldfastError(error) && summariserFailures[error.code] !== undefined
}

/** Waits until no summary of the session is in the making. Null when none was made; why, its own caller has been told. */
async function landed(record: CompactionRecord, signal?: AbortSignal): Promise<Summary | null> {
  while (record.flight !== null) {
    const summary = await until(
      record.flight.catch(() => null),
      signal,
    )
    if (summary !== null) return summary
  }
  return null
}
