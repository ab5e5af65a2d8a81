import { onTestFinished } from 'vitest'
import { Background } from '../../src/engine/background.ts'
import { EventLog } from '../../src/engine/event-log.ts'
import type { GatewayEvent } from '../../src/engine/events.ts'
import type { Ground } from '../../src/engine/ground.ts'
import { type JobInput, Jobs } from '../../src/engine/jobs.ts'
import { type PartialSettings, resolveSettings } from '../../src/engine/settings.ts'
import { silentTelemetry } from '../../src/engine/telemetry.ts'
import { Scheduler } from '../../src/engine/upkeep/schedule.ts'
import { noLookout } from '../../src/engine/watch/lookout.ts'
import { Watch } from '../../src/engine/watch.ts'
import { silentLog } from '../../src/host/log.ts'
import type { OpenStore, Store } from '../../src/store/port.ts'
import { ManualClock } from '../../src/testing/clock.ts'
import { holderNamed, openLanes } from '../../src/testing/contract/scene.ts'
import { plainStore } from '../../src/testing/plain/store.ts'

/** A run as somebody who watches sees it. */
export interface Run {
  jobId: string
  dueAtMs: number | null
  startedAtMs: number
}

/**
 * The scheduler on a clock of the test and the plain store, without a dispatcher, whose polls would take most of the time
 * of a month. Runs end at once, unless `holding` says otherwise.
 */
export class Scheduled {
  readonly clock: ManualClock
  readonly runs: Run[] = []
  readonly missed: { jobId: string; count: number }[] = []
  /** Runs go on until `endRuns`. */
  holding = false
  readonly #open: OpenStore
  readonly #settings: PartialSettings
  #process: { ground: Ground; jobs: Jobs; scheduler: Scheduler; over: AbortController } | null = null

  constructor(start: string, settings: PartialSettings = {}, wrap: (open: OpenStore) => OpenStore = (open) => open) {
    this.clock = new ManualClock(Date.parse(start))
    this.#open = wrap(plainStore())
    this.#settings = settings
    onTestFinished(() => this.stop())
  }

  async start(): Promise<this> {
    const { clock } = this
    const holder = holderNamed('holder-1')
    const events = new EventLog('test', clock)
    const watch = new Watch(clock, silentTelemetry, () => {})
    const over = new AbortController()
    const background = new Background(clock, silentLog, watch, over.signal)
    const store = await this.#open({ holder, telemetry: silentTelemetry, atMs: clock.nowMs() })
    const settings = resolveSettings(this.#settings)
    const telemetry = silentTelemetry
    const ground = {
      ...{ store, holder, settings, clock, telemetry, log: silentLog },
      ...{ events, watch, background, lookout: noLookout, over: over.signal },
    }
    const publish = events.publish.bind(events)
    events.publish = (event) => {
      this.#note(event)
      publish(event)
    }
    const admitted = () => void this.#runAll()
    const scheduler = new Scheduler(ground, admitted)
    const jobs = new Jobs(ground, () => scheduler.wake(), admitted)
    this.#process = { ground, jobs, scheduler, over }
    scheduler.begin()
    await clock.advance(0)
    return this
  }

  async stop(): Promise<void> {
    if (this.#process === null) return
    const { scheduler, ground, over } = this.#process
    this.#process = null
    scheduler.stop()
    over.abort()
    await ground.background.idle()
    await ground.store.close()
  }

  get jobs(): Jobs {
    return this.#running.jobs
  }

  get store(): Store {
    return this.#running.ground.store
  }

  get trouble(): string | null {
    return this.#running.ground.watch.because?.code ?? null
  }

  /** Time passes once what was begun before has come to rest. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(0)
    await this.clock.advance(ms)
  }

  async put(schedule: string, more: Partial<JobInput> = {}): Promise<void> {
    await this.jobs.put({ id: 'job', name: 'job', schedule, messages: 'go', ...more })
  }

  /** Due times that were started, in the order in which they were. */
  due(jobId = 'job'): string[] {
    const mine = this.runs.filter((run) => run.jobId === jobId && run.dueAtMs !== null)
    return mine.map(({ dueAtMs }) => new Date(dueAtMs as number).toISOString().replace(':00.000Z', 'Z'))
  }

  async endRuns(): Promise<void> {
    this.holding = false
    await this.#runAll()
    await this.clock.advance(0)
  }

  get #running() {
    if (this.#process === null) throw new Error('it does not run')
    return this.#process
  }

  #note(event: GatewayEvent): void {
    const startedAtMs = this.clock.nowMs()
    if (event.type === 'job.started') this.runs.push({ jobId: event.jobId, dueAtMs: event.dueAtMs, startedAtMs })
    if (event.type === 'job.missed') this.missed.push({ jobId: event.jobId, count: event.count })
  }

  async #runAll(): Promise<void> {
    const { store, holder, events } = this.#running.ground
    while (!this.holding) {
      const atMs = this.clock.nowMs()
      const claim = await store.claimTurn({ holder, rules: openLanes, atMs })
      if (claim === null) return
      const { id: turnId, sessionKey } = claim.turn
      await store.settleTurn({
        ...{ key: sessionKey, turnId, fence: claim.fence, head: claim.head, status: 'done', entries: [] },
        ...{ outcome: null, finishReason: 'stop', usage: null, meterRatio: null, atMs },
      })
      events.publish({ type: 'turn.settled', sessionKey, turnId, status: 'done', outcome: null })
    }
  }
}
