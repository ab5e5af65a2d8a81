import type { StepReport } from '../changes/run.ts'
import type { Cause } from './alerts.ts'
import type { KeeperTask } from './due.ts'

interface TaskStatus {
  runs: number
  failures: number
  lastStartedAtMs: number | null
  lastMs: number | null
  lastOk: boolean | null
  /** Of the last run that had any. */
  lastManifest: string | null
}

/** What the keeper has done to a home since it was started. */
export interface HomeStatus {
  home: string
  tasks: Record<KeeperTask, TaskStatus>
  stepsDone: Partial<Record<StepReport['kind'], number>>
  bytes: number
  /** Steps of the last cleaning that were left, with the reason. */
  left: number
}

/** What `/status` answers. Times are milliseconds since 1970. */
export interface KeeperStatus {
  version: string
  pid: number
  sinceMs: number
  homes: HomeStatus[]
  /** What lasts and was told. */
  raised: Cause[]
}

const never: TaskStatus = {
  runs: 0,
  failures: 0,
  lastStartedAtMs: null,
  lastMs: null,
  lastOk: null,
  lastManifest: null,
}

export function statusAtStart(home: string): HomeStatus {
  return {
    home,
    tasks: { locks: never, clean: never, archives: never },
    stepsDone: {},
    bytes: 0,
    left: 0,
  }
}

export function statusAfter(
  before: HomeStatus,
  task: KeeperTask,
  report: { steps: StepReport[]; manifest: string | null },
  run: { startedAtMs: number; tookMs: number; ok: boolean },
): HomeStatus {
  const stepsDone = { ...before.stepsDone }
  let { bytes } = before
  for (const step of report.steps) {
    if (!step.done) continue
    stepsDone[step.kind] = (stepsDone[step.kind] ?? 0) + 1
    bytes += step.bytes
  }
  const last = before.tasks[task]
  return {
    home: before.home,
    tasks: {
      ...before.tasks,
      [task]: {
        runs: last.runs + 1,
        failures: last.failures + (run.ok ? 0 : 1),
        lastStartedAtMs: run.startedAtMs,
        lastMs: run.tookMs,
        lastOk: run.ok,
        lastManifest: report.manifest ?? last.lastManifest,
      },
    },
    stepsDone,
    bytes,
    left: task === 'clean' ? report.steps.filter((step) => !step.done && step.left !== null).length : before.left,
  }
}
