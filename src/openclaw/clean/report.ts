import type { StepReport } from '../changes/run.ts'
import type { Step } from './steps.ts'

/** Called after each step; `of`: all that there are. */
export type Told = (done: number, of: number) => void

/** What became of each step of a plan, in its order. */
export class Ledger<Act> {
  readonly #reports: StepReport[]
  readonly #places: ReadonlyMap<Step<Act>, number>
  readonly #told: Told
  readonly #ended = new Set<number>()

  constructor(steps: readonly Step<Act>[], told: Told) {
    this.#reports = steps.map(reportOf)
    this.#places = new Map(steps.map((step, at) => [step, at]))
    this.#told = told
    for (const [at, { left }] of steps.entries()) if (left !== null) this.#ended.add(at)
  }

  done(step: Step<Act>): void {
    this.#end(step, { done: true, left: null })
  }

  left(step: Step<Act>, because: string): void {
    this.#end(step, { done: false, left: because })
  }

  /** Those that were never come to. */
  leaveRest(because: string): void {
    for (const [at, report] of this.#reports.entries()) {
      if (!this.#ended.has(at)) this.#reports[at] = { ...report, left: because }
    }
  }

  get reports(): StepReport[] {
    return this.#reports
  }

  #end(step: Step<Act>, outcome: Pick<StepReport, 'done' | 'left'>): void {
    const at = this.#places.get(step)
    if (at === undefined) return
    this.#reports[at] = { ...(this.#reports[at] as StepReport), ...outcome }
    this.#ended.add(at)
    this.#told(this.#ended.size, this.#reports.length)
  }
}

/** A step of which nothing has been done. */
export function reportOf({ kind, path, key, because, bytes, left }: Step<unknown>): StepReport {
  return { kind, path, key, because, bytes, done: false, left }
}
