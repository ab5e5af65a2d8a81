import type { Holder } from '../model/holders.ts'
import type { SessionKey } from '../model/keys.ts'
import type { SessionProblem, Start } from '../model/starts.ts'
import type { Turn } from '../model/turns.ts'
import type { Page } from './page.ts'

export interface RecoveryVerbs {
  /**
   * The start of this holder is on record, once; unclean when the one before has no end. Gives the newest 100, newest
   * first; older ones are forgotten.
   */
  recordStart(input: { holder: Holder; atMs: number }): Promise<Start[]>
  /** The start of this holder has ended cleanly; the first time counts. */
  recordEnd(input: { holderId: string; atMs: number }): Promise<void>
  /** The newest 100, newest first. */
  listStarts(): Promise<Start[]>
  /**
   * What is wrong with one session: its counters, its ready turn, its lease, and of the newest 200 entries (4 MB), with
   * which the next context begins, their order, their counts and whether they can be read. @throws SESSION_NOT_FOUND
   */
  inspectSession(input: { key: SessionKey }): Promise<SessionProblem[]>
  /**
   * Makes anew what is derived from entries, turns and leases, of 500 entries after `afterSeq` (0: from the beginning) at
   * once; `next` goes on after them. With the last of them the session itself. No entry loses a word. @throws SESSION_NOT_FOUND
   */
  repairSession(input: { key: SessionKey; afterSeq: number; atMs: number }): Promise<{ next: number | null }>
  /** Turns in quarantine that were not released, newest first, by keyset. @throws CURSOR_INVALID */
  listQuarantined(query: { limit: number; after?: string }): Promise<Page<Turn>>
  /**
   * Admits what was asked of a turn in quarantine as a new turn of its session: the same messages, request, dedupe keys and
   * `deliverTo`. A repeat gives the turn that was made. @throws TURN_NOT_FOUND, TURN_NOT_QUARANTINED
   */
  releaseTurn(input: { turnId: string; newTurnId: string; atMs: number }): Promise<Turn>
}
