import type { Entry, NewEntry } from '../../model/entries.ts'
import type { ErrorRecord } from '../../model/errors.ts'
import type { Delivery } from '../../model/holders.ts'
import type { Session } from '../../model/sessions.ts'
import type { Turn, Usage } from '../../model/turns.ts'
import { bodyText } from './bodies.ts'

/** Bodies cross the threads as JSON text: written once by the caller's thread, parsed once by it. */
type Stored<T extends { body: unknown }> = Omit<T, 'body'> & { body: string }
export type StoredEntry = Stored<Entry>
export type NewStoredEntry = Stored<NewEntry>

/** A session's row: what the model shows, and what only this adapter uses. */
export interface SessionRow extends Omit<Session, 'pinned' | 'running'> {
  id: number
  pinned: number
  running: number
  transcriptId: number
  headId: string | null
  shownCount: number
  shownTokens: number
}

export function sessionOf(row: SessionRow): Session {
  const { id, pinned, running, transcriptId, headId, shownCount, shownTokens, ...session } = row
  return { ...session, pinned: pinned === 1, running: running === 1 }
}

export interface TurnRow extends Omit<Turn, 'outcome' | 'usage'> {
  outcome: string | null
  usage: string | null
  session: number
  fence: number | null
  queuedMs: number
  askedFrom: number | null
  askedTo: number | null
  attemptFrom: number | null
  attemptTo: number | null
  interruptedMs: number | null
  settledFence: number | null
  streaming: number
  deliverTo: string | null
  instructions: string | null
  instructionsBlob: number | null
  params: string | null
  paramsBlob: number | null
}

export function turnOf(row: TurnRow): Turn {
  const { session, fence, queuedMs, askedFrom, askedTo, attemptFrom, attemptTo, interruptedMs, ...rest } = row
  const { settledFence, streaming, deliverTo, instructions, instructionsBlob, params, paramsBlob, ...turn } = rest
  return {
    ...turn,
    outcome: turn.outcome === null ? null : (JSON.parse(turn.outcome) as ErrorRecord),
    usage: turn.usage === null ? null : (JSON.parse(turn.usage) as Usage),
  }
}

export interface EntryRow extends Omit<Entry, 'body'> {
  n: number
  body: string | null
  packed: Uint8Array | null
  bytes: number
}

export function entryOf(row: EntryRow): StoredEntry {
  return {
    seq: row.seq,
    id: row.id,
    parentId: row.parentId,
    turnId: row.turnId,
    attempt: row.attempt,
    kind: row.kind,
    body: bodyText(row.body, row.packed),
    tokens: row.tokens,
    atMs: row.atMs,
  }
}

export interface DeliveryRow extends Omit<Delivery, 'outcome'> {
  /** JSON. */
  outcome: string | null
  turn: number
  session: number
  transcript: number | null
  replyFromSeq: number | null
  replyToSeq: number | null
}

export function deliveryOf(row: DeliveryRow): Delivery {
  const { turn, session, transcript, replyFromSeq, replyToSeq, ...delivery } = row
  return { ...delivery, outcome: row.outcome === null ? null : (JSON.parse(row.outcome) as ErrorRecord) }
}
