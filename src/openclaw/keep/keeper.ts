import type { Clock } from '../../host/clock.ts'
import type { Log } from '../../host/log.ts'
import { recordOf } from '../../model/errors.ts'
import type { StepReport } from '../changes/run.ts'
import { type Alert, type Cause, planAlerts, type Raised } from './alerts.ts'
import { dueTasks, type KeeperTask, type LastRuns, nextStart, type Paces } from './due.ts'
import { type HomeStatus, statusAfter, statusAtStart } from './status.ts'

export interface TaskReport {
  steps: StepReport[]
  manifest: string | null
  /** What the task found that a person should know of, and what its codes are: others are not called over by it. */
  causes: Cause[]
}

/** What the keeper does to a home, put together by whoever starts it. Each may throw; nothing else goes wrong by that. */
export type Tasks = Record<KeeperTask, (home: string, signal: AbortSignal) => Promise<TaskReport>>

export interface KeeperOptions {
  /** Absolute. */
  homes: string[]
  paces: Paces
  tasks: Tasks
  clock: Clock
  log: Log
  /** Tells a person. A failure is logged and told no further. */
  tell(alert: Alert): Promise<void>
  /** What is known of earlier runs, and where it is kept for the next start. */
  remember: { read(home: string): LastRuns; write(home: string, runs: LastRuns): void }
}

/** Longest sleep between two looks at what is due, so that a clock that was set is noticed. Unit: ms. */
const lookEveryMs = 30_000

/**
 * Looks after homes until it is told to stop: one task at a time over all homes, the one that waits longest first. A task that fails
 * is told and tried again when it is due again. Nothing that happens in one home keeps another waiting for more than that task.
 */
export class Keeper {
  readonly status: Map<string, HomeStatus>
  readonly #options: KeeperOptions
  readonly #runs = new Map<string, LastRuns>()
  readonly #hurried = new Set<string>()
  #raised: Raised = new Map()
  #wake = new AbortController()

  constructor(options: KeeperOptions) {
    this.#options = options
    this.status = new Map(options.homes.map((home) => [home, statusAtStart(home)]))
    for (const home of options.homes) this.#runs.set(home, options.remember.read(home))
  }

  /** Causes that last, for people. */
  get raised(): readonly Cause[] {
    return [...this.#raised.values()]
  }

  /** Locks of this home are looked at without waiting for their time: a file event said that one lingers. */
  hurry(home: string): void {
    if (!this.status.has(home)) return
    this.#hurried.add(home)
    this.#wake.abort()
  }

  /** Does what is due now, once, and ends. */
  async once(signal: AbortSignal): Promise<void> {
    for (const home of this.#options.homes) {
      for (const task of dueTasks(this.#options.paces, this.#runs.get(home) ?? {}, this.#options.clock.nowMs())) {
        if (!signal.aborted) await this.#run(home, task, signal)
      }
    }
  }

  /** Ends after `signal`, when the step that goes on has ended. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#next()
      if (next === null) await this.#rest(signal)
      else await this.#run(next.home, next.task, signal)
    }
  }

  #next(): { home: string; task: KeeperTask } | null {
    const nowMs = this.#options.clock.nowMs()
    const [hurried] = this.#hurried
    if (hurried !== undefined) {
      this.#hurried.delete(hurried)
      return { home: hurried, task: 'locks' }
    }
    const waiting = this.#options.homes.flatMap((home) => {
      const runs = this.#runs.get(home) ?? {}
      return dueTasks(this.#options.paces, runs, nowMs).map((task) => ({
        home,
        task,
        dueMs: nextStart(this.#options.paces[task], runs[task], nowMs),
        lastMs: runs[task]?.endedAtMs ?? 0,
      }))
    })
    waiting.sort((a, b) => a.dueMs - b.dueMs || a.lastMs - b.lastMs)
    return waiting[0] ?? null
  }

  async #rest(signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController()
    const nowMs = this.#options.clock.nowMs()
    const dueMs = this.#options.homes.flatMap((home) =>
      Object.entries(this.#options.paces).map(([task, pace]) =>
        nextStart(pace, this.#runs.get(home)?.[task as KeeperTask], nowMs),
      ),
    )
    const ms = Math.max(1, Math.min(lookEveryMs, ...dueMs.map((due) => due - nowMs)))
    try {
      await this.#options.clock.sleep(ms, AbortSignal.any([signal, this.#wake.signal]))
    } catch (error) {
      if (!signal.aborted && !this.#wake.signal.aborted) throw error
    }
  }

  async #run(home: string, task: KeeperTask, signal: AbortSignal): Promise<void> {
    const { clock, log, tasks, remember } = this.#options
    const startedAtMs = clock.nowMs()
    const startedMs = clock.steadyMs()
    let report: TaskReport
    let ok = true
    try {
      report = await tasks[task](home, signal)
    } catch (error) {
      if (signal.aborted) return
      ok = false
      const { code, message } = recordOf(error)
      log.error({ home, task, code }, message)
      const text = `${task} failed: ${message}`
      report = {
        steps: [],
        manifest: null,
        causes: [{ code: `${task.toUpperCase()}_FAILED`, home, subject: '', text }],
      }
    }
    const tookMs = clock.steadyMs() - startedMs
    const runs = { ...this.#runs.get(home), [task]: { startedAtMs, endedAtMs: startedAtMs + tookMs, ok } }
    this.#runs.set(home, runs)
    remember.write(home, runs)
    this.status.set(
      home,
      statusAfter(this.status.get(home) ?? statusAtStart(home), task, report, { startedAtMs, tookMs, ok }),
    )
    const done = report.steps.filter((step) => step.done)
    if (done.length > 0) log.info({ home, task, steps: done.length, manifest: report.manifest }, `${task} done`)
    const waiting = report.steps.filter((step) => !step.done && step.left === null)
    if (waiting.length > 0) log.info({ home, task, steps: waiting.length }, `${task}: not done in this mode`)
    await this.#alert(home, task, report.causes, ok)
  }

  async #alert(home: string, task: KeeperTask, causes: Cause[], ok: boolean): Promise<void> {
    const { clock, log, tell } = this.#options
    const tagged = causes.map((cause) => ({ ...cause, subject: `${task}:${cause.subject}` }))
    // A task that failed found nothing out about what lasts, so it ends no other cause.
    const scope = (cause: Cause) =>
      cause.home === home && cause.subject.startsWith(`${task}:`) && (ok || cause.code.endsWith('_FAILED'))
    const { raised, alerts } = planAlerts(this.#raised, tagged, scope, clock.nowMs())
    this.#raised = raised
    for (const alert of alerts) {
      const plain = { ...alert, subject: alert.subject.slice(task.length + 1) }
      log.warn({ ...plain }, plain.state === 'raised' ? plain.text : `over: ${plain.text}`)
      try {
        await tell(plain)
      } catch (error) {
        log.error({ code: recordOf(error).code, alert: plain.code }, 'the alert could not be delivered')
      }
    }
  }
}
