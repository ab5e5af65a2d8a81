import type { Counts } from '../lines/layout.ts'
import type { LeftOut } from '../sources/source.ts'

/**
 * `imported`: it is in the store and was compared; `present`: it was already, and is what the home has; `renewed`: the home had gone on, the
 * store had not, so the newer took the place of the older; `left`: it is not, or not wholly, in the store, with the reason; `mismatch`: what
 * was read back is not what was written.
 */
export type SessionState = 'imported' | 'present' | 'renewed' | 'left' | 'mismatch'

export interface TranscriptReport extends Counts {
  /** Its number in our session; null where it was not brought over. */
  number: number | null
  /** Its file, or its id in the database. */
  source: string
  lines: number
  entries: number
}

export interface SessionReport {
  agent: string
  /** As the gateway calls it; null where no index knows it. */
  key: string | null
  /** Its key here. */
  as: string
  state: SessionState
  /** Something of it is in the home and could not be brought over. */
  partial: boolean
  /** Of `left` and `mismatch`; also what of an imported one is missing. */
  because: string | null
  transcripts: TranscriptReport[]
}

/** Of one home. `sessions` are those that were looked at. */
export interface ImportReport {
  dir: string
  generation: string
  version: string | null
  dryRun: boolean
  /** It was asked to end before all were done. */
  stopped: boolean
  sessions: SessionReport[]
  leftOut: LeftOut[]
  totals: ImportTotals
}

export interface ImportTotals extends Record<SessionState, number> {
  transcripts: number
  entries: number
  messages: number
  toolCalls: number
  summaries: number
  duplicates: number
  aside: number
  carried: number
  unreadable: number
  linesLeftOut: number
}

export function totalsOf(sessions: readonly SessionReport[]): ImportTotals {
  const totals: ImportTotals = {
    ...{ imported: 0, present: 0, renewed: 0, left: 0, mismatch: 0, transcripts: 0, entries: 0, messages: 0 },
    ...{ toolCalls: 0, summaries: 0, duplicates: 0, aside: 0, carried: 0, unreadable: 0, linesLeftOut: 0 },
  }
  for (const { state, transcripts } of sessions) {
    totals[state] += 1
    for (const each of transcripts) {
      totals.transcripts += 1
      totals.entries += each.entries
      totals.messages += each.user + each.assistant + each.tool
      totals.toolCalls += each.toolCalls
      totals.summaries += each.summaries
      totals.duplicates += each.duplicates
      totals.aside += each.aside
      totals.carried += Object.values(each.carried).reduce((sum, count) => sum + count, 0)
      totals.unreadable += each.unreadable
      totals.linesLeftOut += each.leftOut
    }
  }
  return totals
}
