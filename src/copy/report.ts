import type { SessionKey } from '../model/keys.ts'

/**
 * `copied`: written now, and compared record by record. `present`: it was there already, and is the same. `left`: not, or not wholly, brought
 * over, for the reason beside. `mismatch`: what was written is not what was read; that is a fault of this program.
 */
export type CopyState = 'copied' | 'present' | 'left' | 'mismatch'

export interface CopiedSession {
  key: SessionKey
  state: CopyState
  because: string | null
  /** Of those that are in the source: an archived one is not. */
  transcripts: number
  entries: number
  turns: number
}

export interface CopiedJob {
  id: string
  state: 'copied' | 'present' | 'left'
  because: string | null
}

export interface CopyReport {
  dryRun: boolean
  /** It was asked to stop before the end; the same call goes on. */
  stopped: boolean
  sessions: CopiedSession[]
  jobs: CopiedJob[]
  /** Archived transcripts of the source, whose files stay where they are. */
  archived: number
  totals: Record<CopyState | 'transcripts' | 'entries' | 'turns', number>
}

export function totalsOf(sessions: readonly CopiedSession[]): CopyReport['totals'] {
  const totals = { copied: 0, present: 0, left: 0, mismatch: 0, transcripts: 0, entries: 0, turns: 0 }
  for (const { state, transcripts, entries, turns } of sessions) {
    totals[state] += 1
    if (state !== 'copied') continue
    totals.transcripts += transcripts
    totals.entries += entries
    totals.turns += turns
  }
  return totals
}
