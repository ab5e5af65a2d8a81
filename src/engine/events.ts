import type { Entry } from '../model/entries.ts'
import type { ErrorRecord } from '../model/errors.ts'
import type { SessionKey } from '../model/keys.ts'
import type { LaneName } from '../model/lanes.ts'
import type { Summary } from '../model/sessions.ts'
import type { Turn, WaitCause } from '../model/turns.ts'
import type { AnswerDelta } from './runner.ts'

/** What one turn's followers see, from the start of its current attempt. */
export type TurnEvent =
  | { type: 'started'; attempt: number }
  | { type: 'delta'; delta: AnswerDelta }
  /** What was emitted before is void: the runner began the answer again. */
  | { type: 'restarted' }
  /** Always last. `reply` is empty unless the turn is done. */
  | { type: 'settled'; turn: Turn; reply: Entry[] }

/** What everybody may watch (`GET /v1/events`): ids, states and sizes; never what people wrote. */
export type GatewayEvent =
  | { type: 'turn.admitted'; sessionKey: SessionKey; turnId: string; coalesced: boolean }
  | { type: 'turn.started'; sessionKey: SessionKey; turnId: string; attempt: number; waitedMs: number }
  | {
      type: 'turn.settled'
      sessionKey: SessionKey
      turnId: string
      status: Turn['status']
      outcome: ErrorRecord | null
    }
  | { type: 'turn.fenced'; sessionKey: SessionKey; turnId: string; because: string }
  | { type: 'session.reset'; sessionKey: SessionKey; transcript: number }
  | { type: 'session.archived'; sessionKey: SessionKey }
  | { type: 'summary.started'; sessionKey: SessionKey }
  | {
      type: 'summary.committed'
      sessionKey: SessionKey
      summaryId: number
      kind: Summary['kind']
      tokensBefore: number
      tokensAfter: number
    }
  | { type: 'summary.failed'; sessionKey: SessionKey; outcome: ErrorRecord }
  | { type: 'summary.undone'; sessionKey: SessionKey; summaryId: number }
  | { type: 'delivery.settled'; sessionKey: SessionKey; turnId: string; status: 'sent' | 'failed' | 'unknown' }
  /** `dueAtMs` is null when somebody started it by hand. */
  | { type: 'job.started'; jobId: string; sessionKey: SessionKey; turnId: string; dueAtMs: number | null }
  | { type: 'job.missed'; jobId: string; count: number; because: string }
  | { type: 'recovery.planned'; turns: number }
  | { type: 'recovery.crash-loop'; uncleanStarts: number }
  | { type: 'recovery.calm' }
  | {
      type: 'retention.swept'
      /** False: it was only found out what would go. */
      applied: boolean
      sessions: number
      transcripts: number
      bytes: number
      deleted: number
    }
  | { type: 'store.read-only'; outcome: ErrorRecord }
  | { type: 'store.writable' }
  /** Keys of the configuration, as the file has them. */
  | { type: 'config.reloaded'; applied: string[]; needsRestart: string[] }
  | { type: 'config.refused'; outcome: ErrorRecord }
  /** A wait is over the limit of its lane; once for each. */
  | { type: 'turn.waits'; sessionKey: SessionKey; turnId: string; lane: LaneName; cause: WaitCause; waitedMs: number }
  /** A running turn shows no sign of life; once for each silence. */
  | { type: 'turn.stuck'; sessionKey: SessionKey; turnId: string; lane: LaneName; stillMs: number }
  /** It shows signs of life again, or has ended. */
  | { type: 'turn.unstuck'; sessionKey: SessionKey; turnId: string; lane: LaneName; stillMs: number }
  /** The event loop stood still; told when it goes round again, by the log and `wedged.json` before. */
  | { type: 'loop.wedged'; stillMs: number; turns: number }
  | { type: 'loop.recovered'; stillMs: number }
