import type { OverBudget } from '../../../retention/budget.ts'
import type { ClockVerdict } from '../../../retention/clock.ts'
import type { RetentionMode } from '../../../retention/policy.ts'
import type { RetentionStep } from '../../../retention/steps.ts'

export interface SweepOptions {
  /** False: everything is found and told, nothing is changed. */
  apply: boolean
  /** An operator has looked at the clock. */
  trustClock: boolean
}

type StepOutcome = 'planned' | 'done' | 'stayed'

export type SweepEvent =
  | { type: 'step'; step: RetentionStep; outcome: StepOutcome; because: string | null }
  | { type: 'done'; report: SweepReport }

export interface SweepReport {
  /** Begins the names of its folders. */
  sweep: string
  applied: boolean
  atMs: number
  endedAtMs: number
  /** What went, or would go. */
  sessions: number
  transcripts: number
  entries: number
  /** Before compression; of a preview, of bodies. */
  bytes: number
  /** In bundles; 0 in a preview. */
  packedBytes: number
  /** Transcripts of archives that went to the trash, and of the trash that were deleted. */
  toTrash: number
  deleted: number
  deletedBytes: number
  /** Sessions and folders that were to go and did not: somebody used them meanwhile. */
  stayed: number
  /** Manifests of this sweep, below the data directory. */
  manifests: string[]
  /** It ended before all was done, or a preview shows only the first. */
  more: boolean
  clock: ClockVerdict
  overBudget: OverBudget | null
  /** The longest that one step held up the database's writer, as seen from here. */
  worstStepMs: number
}

export interface RetentionState {
  mode: RetentionMode
  /** Null: there is nowhere to put archives, so nothing is done. */
  directory: string | null
  busy: boolean
  last: SweepReport | null
  /** Null: no sweep is scheduled. */
  nextAtMs: number | null
  clock: ClockVerdict | null
  /** Folders whose manifest cannot be read; they are left alone. */
  damaged: string[]
}
