import type { Entry, NewEntry } from '../model/entries.ts'
import type { ErrorRecord } from '../model/errors.ts'
import type { Holder } from '../model/holders.ts'
import type { SessionKey } from '../model/keys.ts'
import type { LaneName, LaneRules } from '../model/lanes.ts'
import type { Message } from '../model/messages.ts'
import type { Session } from '../model/sessions.ts'
import type { BusyPolicy, Inbound, SettledStatus, Turn, TurnRequest, TurnStatus, Usage } from '../model/turns.ts'
import type { Page } from './page.ts'

export interface TurnVerbs {
  /**
   * Durable admission. Opens the session, or opens it again when it was archived. A `dedupeKey` that was used in this
   * session gives the same turn back with `repeated`. `coalesce` joins a waiting turn of the session that has
   * the same request and whose window is open. `interrupt` marks the running turn as cancelled (`cancelRequested`) and puts this
   * one next. `reset` begins a new transcript before, as `resetSession` does, unless the session has another one by now, or a
   * turn of it runs, waits or is to run again. @throws SESSION_BUSY (reject), QUEUE_FULL, IDEMPOTENCY_MISMATCH
   */
  admitTurn(input: AdmitInput): Promise<AdmitResult>
  /**
   * Takes the next turn by the lane rules (`planClaim`), its session's lease with a new fence, counts the attempt, and
   * appends the turn's messages to the transcript unless an earlier attempt did, in one step. What that attempt wrote
   * besides them is hidden from the model. Null when nothing can start. @throws STORE_CORRUPT with the facts `turnId` and
   * `sessionKey` when the next turn cannot be started because its session is damaged; nothing has changed then
   */
  claimTurn(input: ClaimInput): Promise<Claim | null>
  /** "Still alive, doing this." @throws FENCED */
  recordProgress(input: { key: SessionKey; fence: number; note: string; atMs: number }): Promise<void>
  /**
   * Ends a running turn: entries, outcome, usage and the lease, in one step. The same call again finds the turn settled
   * and succeeds. A turn with `deliverTo` that ends here or elsewhere, other than as cancelled or as done without a reply,
   * has its deliveries in the same step. @throws FENCED, HEAD_MOVED
   */
  settleTurn(input: SettleInput): Promise<Turn>
  /** Queues an interrupted turn again, in `lane`. New messages of its session go before it. @throws TURN_NOT_FOUND */
  requeueTurn(input: { turnId: string; lane: LaneName; atMs: number }): Promise<Turn>
  /**
   * A waiting or interrupted turn ends as cancelled at once; a running one gets `cancelRequested`, and whoever runs it must settle
   * or revoke it. What ends while it waits stands in the transcript all the same, hidden from the model: its messages and
   * an event entry that says why there is no answer, after what was admitted before it. @throws TURN_NOT_FOUND, TURN_SETTLED
   */
  cancelTurn(input: { turnId: string; reason: string; atMs: number }): Promise<Turn>
  /**
   * Takes a running turn from its holder without its help: the fence grows, the lease ends, the turn is settled with
   * this outcome and an event entry, the session's queue goes on. @throws TURN_NOT_FOUND, TURN_SETTLED
   */
  revokeTurn(input: RevokeInput): Promise<Turn>
  /** Ends an interrupted turn that is not to run again (attempts used up), with an event entry as `cancelTurn`. @throws TURN_NOT_FOUND, TURN_SETTLED */
  quarantineTurn(input: { turnId: string; outcome: ErrorRecord; atMs: number }): Promise<Turn>
  readTurn(turnId: string): Promise<TurnDetail | null>
  /** How far these turns are, in one look; those that are not there are left out. */
  readTurnStates(query: { turnIds: readonly string[] }): Promise<TurnState[]>
  /** By position, by keyset. @throws CURSOR_INVALID */
  listTurns(query: TurnQuery): Promise<Page<Turn>>
}

export interface AdmitInput {
  key: SessionKey
  turnId: string
  lane: LaneName
  source: string
  dedupeKey: string | null
  /** SHA-256 of what was asked; a repeat of `dedupeKey` with another digest is IDEMPOTENCY_MISMATCH. */
  digest: string
  messages: Message[]
  /** The meter's count of `messages`, one number each. */
  tokens: number[]
  request: TurnRequest
  onBusy: BusyPolicy
  /** How long a turn waits for more messages when `onBusy` is `coalesce`. */
  coalesceMs: number
  /** No message joins a turn whose messages would then have more tokens: they must fit one context. */
  coalesceTokensMax: number
  /** Turns that may wait in this session, and in the whole store. */
  queuedMax: { session: number; total: number }
  /** The rules of this engine say that the message begins a new transcript. */
  reset?: AdmitReset | null
  atMs: number
}

export interface AdmitReset {
  /** The one that ends; nothing happens when it is not the current one. */
  transcript: number
  reason: string
}

export interface AdmitResult {
  turn: Turn
  repeated: boolean
  coalesced: boolean
  /** The running turn that `interrupt` asked to stop. */
  interruptedTurnId: string | null
  /** The number of the transcript that `reset` began; null when it began none. */
  begunTranscript: number | null
}

export interface ClaimInput {
  holder: Holder
  /** As they are now: they may differ from claim to claim. */
  rules: LaneRules
  atMs: number
}

export interface Claim {
  turn: Turn
  inbound: Inbound[]
  request: TurnRequest
  session: Session
  fence: number
  /** Everything up to here stood before this attempt, the turn's own messages included. */
  head: number
  /** Since it was admitted or, after an interruption, queued again. */
  waitedMs: number
}

export interface SettleInput {
  key: SessionKey
  turnId: string
  fence: number
  head: number
  status: SettledStatus
  entries: NewEntry[]
  outcome: ErrorRecord | null
  finishReason: string | null
  usage: Usage | null
  /** The session's new meter ratio; null leaves it. */
  meterRatio: number | null
  atMs: number
}

export interface RevokeInput {
  turnId: string
  status: Exclude<SettledStatus, 'done'>
  outcome: ErrorRecord
  atMs: number
}

export interface TurnDetail {
  turn: Turn
  inbound: Inbound[]
  request: TurnRequest
  /** What was appended on the way and what settling brought; empty unless the turn is done. */
  reply: Entry[]
}

export interface TurnState {
  turnId: string
  status: TurnStatus
  cancelRequested: string | null
  /** Who runs it now; null when nobody does. */
  holderId: string | null
}

export interface TurnQuery {
  limit: number
  order: 'oldest' | 'newest'
  after?: string
  key?: SessionKey
  statuses?: TurnStatus[]
}
