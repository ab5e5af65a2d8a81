import { type JobStep, planJob } from '../../cron/plan.ts'
import { readSchedule } from '../../cron/schedule.ts'
import { type HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Job, Missed } from '../../model/jobs.ts'
import { kindOf } from '../../model/keys.ts'
import { type Ground, storeBackoffMs } from '../ground.ts'
import { startRun } from '../jobs.ts'
import { backoffMs, pause } from '../waiting.ts'

/** The longest sleep: the wall clock may be set while the timer counts. */
const lookEveryMs = 30_000
/** While a due job waits for its last run: a backstop, since the end of a run wakes. */
const lookSoonMs = 1_000
/** Jobs read at once. */
const pageJobs = 100
/** A wall clock that falls back further than time synchronisation corrects it. */
const setBackMs = 1_000

/**
 * Starts runs when they are due. It sleeps until the next due time and is woken by changes; one round looks at what is due,
 * plans each job and carries its step out, so that a start by hand, another process and a crash need no special case.
 */
export class Scheduler {
  readonly #ground: Ground
  readonly #admitted: () => void
  readonly #stopping = new AbortController()
  #waking = new AbortController()
  #failures = 0
  /** Both clocks at the last round; null before the first. */
  #last: { wallMs: number; steadyMs: number } | null = null

  /** `admitted`: a turn waits. */
  constructor(ground: Ground, admitted: () => void) {
    this.#ground = ground
    this.#admitted = admitted
  }

  begin(): void {
    this.#ground.background.insist('schedule', () => this.#loop())
    this.#ground.background.insist('ends of scheduled runs', () => this.#wakeAtEnds())
  }

  /** Nothing is started afterwards. What is due waits for the next process, as the job's policy says. */
  stop(): void {
    this.#stopping.abort()
  }

  wake(): void {
    this.#waking.abort()
  }

  async #loop(): Promise<void> {
    const { clock } = this.#ground
    while (!this.#stopping.signal.aborted) {
      this.#waking = new AbortController()
      const waitMs = await this.#tryRound()
      await pause(clock, waitMs, AbortSignal.any([this.#stopping.signal, this.#waking.signal]))
    }
  }

  /** A due job whose last run was going may start when that has ended. */
  async #wakeAtEnds(): Promise<void> {
    for await (const item of this.#ground.events.subscribe(null, this.#stopping.signal)) {
      if ('gap' in item) this.wake()
      else if (item.event.type === 'turn.settled' && kindOf(item.event.sessionKey) === 'cron-run') this.wake()
    }
  }

  /** Gives how long nothing is to be done, unless somebody wakes. While the disk is full or failing it is tried again. */
  async #tryRound(): Promise<number> {
    const { watch, log } = this.#ground
    try {
      const waitMs = await this.#round()
      this.#failures = 0
      watch.fine('schedule')
      return waitMs
    } catch (error) {
      const expected = ['STORE_FULL', 'STORE_IO', 'QUEUE_FULL'] as const
      if (!expected.some((code) => isHoldfastError(error, code))) throw error
      this.#failures += 1
      if (!isHoldfastError(error, 'QUEUE_FULL')) watch.trouble('schedule', error)
      if (this.#failures === 1) log.warn({ code: (error as HoldfastError).code }, 'scheduled jobs cannot start')
      return backoffMs(this.#failures, storeBackoffMs)
    }
  }

  async #round(): Promise<number> {
    const { store, clock, settings } = this.#ground
    if (!settings.cron.enabled) return lookEveryMs
    await this.#heedClock()
    const { items, nextAtMs, held } = await store.dueJobs({ atMs: clock.nowMs(), limit: pageJobs })
    for (const job of items) {
      if (this.#stopping.signal.aborted) return 0
      await this.#take(job)
    }
    const untilNextMs = nextAtMs === null ? lookEveryMs : Math.max(0, nextAtMs - clock.nowMs())
    if (items.length === pageJobs) return 0
    return Math.min(untilNextMs, items.length > 0 || held > 0 ? lookSoonMs : lookEveryMs)
  }

  /** Also at the first round, since it may have fallen back while no process ran, and until every job was looked at. */
  async #heedClock(): Promise<void> {
    const { clock } = this.#ground
    const now = { wallMs: clock.nowMs(), steadyMs: clock.steadyMs() }
    const before = this.#last ?? { wallMs: Number.POSITIVE_INFINITY, steadyMs: now.steadyMs }
    const fellBack = now.wallMs - before.wallMs < now.steadyMs - before.steadyMs - setBackMs
    if (fellBack) await this.#setBackAll()
    this.#last = now
  }

  /** Every job, since what waits for a time that is now far off is not among the due ones. */
  async #setBackAll(): Promise<void> {
    let after: { after?: string } = {}
    for (;;) {
      const { items, next } = await this.#ground.store.listJobs({ limit: pageJobs, ...after })
      for (const job of items) if ((job.nextAtMs ?? 0) > this.#ground.clock.nowMs()) await this.#take(job)
      if (next === null || this.#stopping.signal.aborted) return
      after = { after: next }
    }
  }

  async #take(job: Job): Promise<void> {
    const { id, nextAtMs } = job
    if (nextAtMs === null) return
    try {
      await this.#tryJob(job, nextAtMs)
    } catch (error) {
      // It was removed or started since it was read.
      if (!isHoldfastError(error, 'JOB_NOT_FOUND') && !isHoldfastError(error, 'JOB_RUNNING')) throw error
      this.#ground.log.debug({ jobId: id, code: error.code }, 'a job was not started')
    }
  }

  async #tryJob(job: Job, nextAtMs: number): Promise<void> {
    try {
      await this.#carryOut(job, nextAtMs, this.#plan(job))
    } catch (error) {
      if (!isHoldfastError(error, 'JOB_INVALID')) throw error
      await this.#giveUp(job, nextAtMs, error)
    }
  }

  #plan(job: Job): JobStep {
    const { clock, settings } = this.#ground
    const schedule = readSchedule(job.schedule, job.timeZone)
    const running = false // the store knows, and gives no job of which a run goes on
    return planJob({ job, running, schedule, nowMs: clock.nowMs() }, settings.cron)
  }

  async #carryOut(job: Job, expectedNextAtMs: number, step: JobStep): Promise<void> {
    const { store, log } = this.#ground
    const { id } = job
    switch (step.kind) {
      case 'start': {
        const { dueAtMs, nextAtMs, missed } = step
        const { turn } = await startRun(this.#ground, job, { atMs: dueAtMs, expectedNextAtMs, nextAtMs, missed })
        if (turn === null) return
        this.#admitted()
        return this.#tellMissed(id, missed)
      }
      case 'skip': {
        const { nextAtMs, missed } = step
        if (await store.moveJob({ id, expectedNextAtMs, nextAtMs, missed })) this.#tellMissed(id, missed)
        return
      }
      case 'set back': {
        const { nextAtMs } = step
        await store.moveJob({ id, expectedNextAtMs, nextAtMs, missed: null })
        return log.warn(
          { jobId: id, fromMs: expectedNextAtMs, toMs: nextAtMs },
          'the clock fell back; a job is due earlier',
        )
      }
      case 'wait':
        return
    }
  }

  /** It was valid when it was made, but zones come and go with the system's data. It must not hold up the others. */
  async #giveUp({ id }: Job, expectedNextAtMs: number, { code, facts }: HoldfastError): Promise<void> {
    const { store, log } = this.#ground
    const missed = { count: 1, fromMs: expectedNextAtMs, untilMs: expectedNextAtMs, because: String(facts.because) }
    await store.moveJob({ id, expectedNextAtMs, nextAtMs: null, missed })
    log.error({ jobId: id, code }, 'a job is no longer valid and is not due any more')
    this.#tellMissed(id, missed)
  }

  #tellMissed(jobId: string, missed: Missed | null): void {
    if (missed === null) return
    const { count, because } = missed
    this.#ground.events.publish({ type: 'job.missed', jobId, count, because })
    this.#ground.log.info({ jobId, count, because }, 'due times of a job passed without a run of their own')
  }
}
