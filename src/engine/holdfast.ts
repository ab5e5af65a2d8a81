import { countRequest } from '../compaction/meter.ts'
import { type Clock, systemClock } from '../host/clock.ts'
import { type Log, silentLog } from '../host/log.ts'
import { currentHolder } from '../host/process.ts'
import { type ErrorRecord, HoldfastError, recordOf } from '../model/errors.ts'
import type { Holder } from '../model/holders.ts'
import type { SessionKey } from '../model/keys.ts'
import type { Session, Summary } from '../model/sessions.ts'
import type { Turn, TurnRequest } from '../model/turns.ts'
import type { OpenStore, Store } from '../store/port.ts'
import type { ResetResult } from '../store/sessions.ts'
import type { TurnDetail } from '../store/turns.ts'
import { Background } from './background.ts'
import { Compactor } from './compact.ts'
import { EventLog } from './event-log.ts'
import type { TurnEvent } from './events.ts'
import { clockOf, type Ground } from './ground.ts'
import { Jobs } from './jobs.ts'
import type { Deliver, Runner, Summarizer } from './runner.ts'
import { type EngineSettings, type PartialSettings, resolveSettings } from './settings.ts'
import { silentTelemetry, type Telemetry } from './telemetry.ts'
import type { Submission, SubmitInput } from './turns/ask.ts'
import type { FollowElsewhere } from './turns/others.ts'
import { Turns } from './turns/turns.ts'
import { Deliverer } from './upkeep/deliver.ts'
import { handOver } from './upkeep/inherit.ts'
import { Recovery } from './upkeep/recover.ts'
import { Retention } from './upkeep/retain/retention.ts'
import { Scheduler } from './upkeep/schedule.ts'
import { explainLanes, explainSession, type Known } from './watch/explain.ts'
import type { LanesReport } from './watch/lanes.ts'
import { LongWaits } from './watch/long-waits.ts'
import { noLookout, ThreadLookout } from './watch/lookout.ts'
import { Watch } from './watch.ts'
import type { WhyReport } from './why.ts'

export interface HoldfastOptions {
  /** For example `sqliteStore('./data')`. */
  store: OpenStore
  /** Answers turns. Null: none are run here, what is submitted waits for the next who runs some. */
  run: Runner | null
  /** Makes summaries; without one they are mechanical. */
  summarize?: Summarizer | null
  /** Sends replies, and failures, of turns with `deliverTo`; without one they wait. */
  deliver?: Deliver
  /** The tokens of turns that run in other processes on the same store; without it their replies come whole. */
  followElsewhere?: FollowElsewhere
  settings?: PartialSettings
  /** Where retention makes `archives/` and `trash/`. Null, or absent: nothing is taken out. */
  archives?: string | null
  clock?: Clock
  telemetry?: Telemetry
  /** Silent when absent. */
  log?: Log
  /** Whether a thread watches for turns and an event loop that stand still; with the system's clock it does unless told. */
  watch?: boolean
}

/**
 * Opens the store, finds what an earlier process left behind, and starts taking turns. What was interrupted is run again
 * in the background. @throws HoldfastError CONFIG_INVALID, every STORE_ code of opening
 */
export async function openHoldfast(options: HoldfastOptions): Promise<Holdfast> {
  const { clock = systemClock, telemetry = silentTelemetry, log = silentLog } = options
  const settings = resolveSettings(options.settings ?? {})
  const holder = currentHolder(clock.nowMs())
  const events = new EventLog(holder.id.slice(0, 8), clock)
  const watch = new Watch(clock, telemetry, (event) => events.publish(event))
  const over = new AbortController()
  const background = new Background(clock, log, watch, over.signal)
  const store = await options.store({ holder, telemetry: watch.storeTelemetry, atMs: clock.nowMs() })
  const base = { store, holder, settings, clock: clockOf(store, clock), telemetry, log, events }
  const watches = options.run !== null && (options.watch ?? clock === systemClock)
  const lookout = watches ? new ThreadLookout(base, options.store.directory ?? null) : noLookout
  const ground = { ...base, watch, background, lookout, over: over.signal }
  return new Holdfast(ground, options, over).start()
}

/** One open engine. Close it, or declare it with `await using`. */
export class Holdfast {
  /** The verbs themselves, for reading. */
  readonly store: Store
  readonly settings: EngineSettings
  readonly holder: Holder
  readonly events: EventLog
  /** Turns that start by the clock. */
  readonly jobs: Jobs
  /** What becomes of what an earlier process left unfinished, and of turns in quarantine. */
  readonly recovery: Recovery
  readonly retention: Retention
  readonly #ground: Ground
  readonly #over: AbortController
  readonly #runsTurns: boolean
  readonly #turns: Turns
  readonly #compactor: Compactor
  readonly #deliverer: Deliverer | null
  readonly #scheduler: Scheduler
  #closing: Promise<void> | null = null

  constructor(ground: Ground, options: HoldfastOptions, over: AbortController) {
    const { store, settings, clock, telemetry, log, events } = ground
    this.#ground = ground
    this.store = store
    this.settings = settings
    this.holder = ground.holder
    this.events = events
    this.retention = new Retention(ground, options.archives ?? null)
    this.#over = over
    this.#runsTurns = options.run !== null
    this.#deliverer = options.deliver === undefined ? null : new Deliverer(ground, options.deliver)
    const summarize = options.summarize ?? null
    const publish = events.publish.bind(events)
    this.#compactor = new Compactor({ store, clock, telemetry, settings, summarize, publish, log })
    this.#turns = new Turns(ground, options.run, options.followElsewhere ?? null, ({ turn, request }) => {
      if ((request.deliverTo ?? []).length > 0) this.#deliverer?.wake()
      ground.background.run('compaction', () => this.#considerSummary(turn.sessionKey, request))
    })
    const admitted = () => this.#turns.wake()
    this.#scheduler = new Scheduler(ground, admitted)
    this.jobs = new Jobs(ground, () => this.#scheduler.wake(), admitted)
    const deliverer = this.#deliverer
    this.recovery = new Recovery(
      ground,
      {
        concluded: (turn) => {
          this.#turns.concluded(turn)
          deliverer?.wake()
        },
        admitted: (turn) => this.#turns.admitted(turn),
        wake: () => this.#turns.wake(),
        deliver: () => deliverer?.begin(),
      },
      this.#runsTurns,
    )
    ground.watch.onWritable = () => this.#turns.wake()
  }

  /** Called by {@link openHoldfast}. */
  async start(): Promise<this> {
    try {
      await this.recovery.begin()
    } catch (error) {
      await this.store.close()
      throw error
    }
    this.#turns.begin()
    if (!this.#runsTurns) return this
    this.#ground.lookout.open()
    new LongWaits(this.#ground).begin(this.#over.signal)
    this.#scheduler.begin()
    this.retention.begin()
    return this
  }

  /**
   * Durable when it resolves, and then answered, or its failure recorded, whatever happens to this process.
   * @throws HoldfastError REQUEST_INVALID, SESSION_KEY_INVALID, CONTEXT_TOO_LARGE, SESSION_BUSY, QUEUE_FULL,
   * IDEMPOTENCY_MISMATCH, GATEWAY_CLOSING, STORE_FULL, STORE_IO
   */
  async submit(input: SubmitInput): Promise<Submission> {
    this.#checkOpen()
    return this.#turns.submit(input)
  }

  /**
   * The turn's events from the start of its current attempt, however late one joins; `settled` is the last, and the only
   * one of a turn that has ended. @throws HoldfastError TURN_NOT_FOUND, GATEWAY_CLOSING, or the signal's reason
   */
  follow(turnId: string, signal?: AbortSignal): AsyncIterable<TurnEvent> {
    return this.#turns.follow(turnId, signal)
  }

  /** Resolves when the turn has ended, however. @throws HoldfastError TURN_NOT_FOUND, GATEWAY_CLOSING, or the signal's reason */
  settled(turnId: string, signal?: AbortSignal): Promise<TurnDetail> {
    return this.#turns.settled(turnId, signal)
  }

  /**
   * A waiting turn has ended when this resolves; a running one is told to stop, and ends within the grace period.
   * @throws HoldfastError TURN_NOT_FOUND, TURN_SETTLED
   */
  cancel(turnId: string, reason: string): Promise<Turn> {
    return this.#turns.cancel(turnId, reason)
  }

  /** The session has a new, empty transcript; a running turn was cancelled, waiting ones go on. @throws HoldfastError SESSION_NOT_FOUND */
  reset(key: SessionKey, reason: string): Promise<ResetResult> {
    return this.#turns.reset(key, reason)
  }

  /** Out of the lists until its next message. @throws HoldfastError SESSION_NOT_FOUND, SESSION_BUSY */
  async archive(key: SessionKey): Promise<Session> {
    const session = await this.store.archiveSession({ key, atMs: this.#ground.clock.nowMs() })
    this.events.publish({ type: 'session.archived', sessionKey: key })
    return session
  }

  /** A summary now, whatever the limits and the back-off say. @throws HoldfastError SUMMARY_NOTHING_TO_DO and other SUMMARY_ codes */
  compact(key: SessionKey, signal: AbortSignal = this.#over.signal): Promise<Summary> {
    return this.#compactor.compactNow(key, signal)
  }

  /** The summary before it counts again. @throws HoldfastError SUMMARY_NOT_FOUND, SUMMARY_STALE */
  async undoSummary(key: SessionKey, summaryId: number): Promise<Summary> {
    const summary = await this.store.undoSummary({ key, summaryId, atMs: this.#ground.clock.nowMs() })
    this.events.publish({ type: 'summary.undone', sessionKey: key, summaryId })
    return summary
  }

  /** @throws HoldfastError SESSION_NOT_FOUND */
  why(key: SessionKey): Promise<WhyReport> {
    return explainSession(this.#ground, this.#known, key)
  }

  /** How long the lanes are, who runs what, and what waits longest. */
  lanes(): Promise<LanesReport> {
    return explainLanes(this.#ground, this.#known)
  }

  /**
   * Ends the running turn of this one session without its help, and its queue goes on; null when none runs.
   * @throws HoldfastError SESSION_NOT_FOUND
   */
  release(key: SessionKey, reason: string): Promise<Turn | null> {
    return this.#turns.release(key, reason)
  }

  /**
   * Lays these settings over those that hold, and goes by them at once, also for what runs and waits.
   * @throws HoldfastError CONFIG_INVALID: nothing has changed
   */
  reconfigure(given: PartialSettings): void {
    Object.assign(this.settings, resolveSettings(given, this.settings))
    this.#ground.lookout.setLimits(this.settings.watch)
    this.#turns.wake()
    this.#compactor.wake()
    this.#scheduler.wake()
    this.recovery.wake()
  }

  /** Ready: it takes messages, can store them, and none of its loops is failing. */
  health(): { ready: boolean; because: ErrorRecord | null; draining: boolean } {
    const draining = this.#closing !== null
    const because = draining ? recordOf(new HoldfastError('GATEWAY_CLOSING')) : this.#ground.watch.because
    return { ready: because === null, because, draining }
  }

  /**
   * Takes nothing new, lets running turns end for up to `drainMs` (0), tells the others to stop and waits for the grace
   * period. What has not ended then is `interrupted` and runs again at the next start. The store is closed.
   */
  close(options: { drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? 0)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(drainMs: number): Promise<void> {
    this.#scheduler.stop()
    await this.#turns.stop(drainMs)
    this.#deliverer?.stop()
    this.retention.stop()
    this.#over.abort()
    await this.#turns.close()
    if (this.#runsTurns) await handOver(this.#ground)
    await this.#compactor.close()
    this.events.close()
    await this.#ground.background.idle()
    await this.#ground.lookout.close()
    await this.store.close()
  }

  get #known(): Known {
    const mode = this.#closing !== null ? 'closing' : this.#runsTurns ? 'running' : 'not running turns'
    return { turns: this.#turns, compactor: this.#compactor, recovery: this.recovery, mode }
  }

  async #considerSummary(key: SessionKey, request: TurnRequest): Promise<void> {
    const session = await this.store.readSession(key)
    if (session !== null) this.#compactor.considerSoon(session, countRequest(request))
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new HoldfastError('GATEWAY_CLOSING', {}, { retryAfterMs: 5_000 })
  }
}
