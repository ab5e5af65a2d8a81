import type { SessionKey } from '../model/keys.ts'
import type { Summary } from '../model/sessions.ts'

export interface SummaryVerbs {
  /**
   * Accepted only while `transcript` is current and `baseId` is still its newest summary (compare-and-set),
   * `uptoSeq` is beyond the base's, the text is not empty, and it has fewer tokens than it replaces.
   * Holds nothing while it is made; appends go on meanwhile. @throws SUMMARY_STALE, SUMMARY_REFUSED
   */
  commitSummary(input: CommitSummaryInput): Promise<Summary>
  /** Only the newest can be undone; the one before it (or none) counts again. @throws SUMMARY_NOT_FOUND, SUMMARY_STALE */
  undoSummary(input: { key: SessionKey; summaryId: number; atMs: number }): Promise<Summary>
  /** Of the current transcript, newest first, undone ones included. @throws SESSION_NOT_FOUND */
  listSummaries(key: SessionKey): Promise<Summary[]>
}

export interface CommitSummaryInput {
  key: SessionKey
  transcript: number
  baseId: number | null
  uptoSeq: number
  kind: Summary['kind']
  text: string
  tokens: number
  atMs: number
}
