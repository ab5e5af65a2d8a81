import type { ErrorCode } from '../model/errors.ts'
import type { LaneName } from '../model/lanes.ts'
import type { SettledStatus, WaitCause } from '../model/turns.ts'
import type { StepName } from '../recovery/plan.ts'
import type { StoreTelemetry } from '../store/port.ts'
import type { SweepReport } from './upkeep/retain/report.ts'

export type CompactionOutcome = 'committed' | 'mechanical' | 'stale' | 'refused' | 'timeout' | 'failed'

/** What the engine measures. The names of the metrics are the business of whoever shows them. */
export interface Telemetry extends StoreTelemetry {
  /** Once for each claimed turn, for every cause: 0 for the causes that did not hold it up. */
  turnWaited(lane: LaneName, cause: WaitCause, ms: number): void
  turnSettled(lane: LaneName, status: SettledStatus, code: ErrorCode | null, ranMs: number): void
  /** A runner that ignored its signal was cut off. */
  turnFenced(): void
  compaction(outcome: CompactionOutcome, ms: number): void
  contextCut(entriesLeftOut: number): void
  surrogatesReplaced(count: number): void
  /** A wait that went over the limit of its lane; once for each. */
  longWait(lane: LaneName, cause: WaitCause): void
  /** How many running turns show no sign of life now. */
  turnsStuck(count: number): void
  /** The event loop stood still; told afterwards. */
  loopWedged(): void
  /** A step of the recovery was taken. */
  recovered(step: StepName): void
  /** Starts follow unclean ends too closely, or no longer do. */
  crashLoop(on: boolean): void
  swept(report: SweepReport): void
}

export const silentTelemetry: Telemetry = {
  verb: () => {},
  commit: () => {},
  writable: () => {},
  turnWaited: () => {},
  turnSettled: () => {},
  turnFenced: () => {},
  compaction: () => {},
  contextCut: () => {},
  surrogatesReplaced: () => {},
  longWait: () => {},
  turnsStuck: () => {},
  loopWedged: () => {},
  recovered: () => {},
  crashLoop: () => {},
  swept: () => {},
}
