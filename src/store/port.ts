import type { Delivery, DeliveryStatus, Holder, Lease } from '../model/holders.ts'
import type { Entry, EntryKind, NewEntry } from '../model/entries.ts'
import type { ErrorRecord } from '../model/errors.ts'
import type { SessionKey, SessionKind } from '../model/keys.ts'
import type { LaneLimits, LaneName } from '../model/lanes.ts'
import type { Message } from '../model/messages.ts'
import type { Session, SessionState, Summary } from '../model/sessions.ts'
import type {
  BusyPolicy,
  Inbound,
  SettledStatus,
  Turn,
  TurnRequest,
  TurnStatus,
  Usage,
  WaitCause,
} from '../model/turns.ts'

/**
 * The store's port: verbs. Each is one short transaction, atomic, durable when its promise resolves, and bounded in
 * rows and bytes. There is no way to hold a transaction open, and no verb waits for anything but the disk (P1).
 *
 * Every write verb may be called again with the same arguments after an error whose outcome is unknown
 * (STORE_IO, a lost connection): ids, fences and expected heads make the repeat find its own earlier write.
 *
 * Every verb can throw STORE_FULL, STORE_IO, STORE_CORRUPT, STORE_CLOSED; every write verb STORE_READ_ONLY.
 * What a verb throws beyond that stands with it. Times are milliseconds since the epoch, given by the caller.
 */
export interface Store extends SessionVerbs, EntryVerbs, TurnVerbs, LeaseVerbs, SummaryVerbs, DeliveryVerbs, UpkeepVerbs {
  close(): Promise<void>
}

export interface Page<T> {
  items: T[]
  /** Give it back as `after` for the next page; null at the end. */
  next: string | null
}

// ---------------------------------------------------------------- sessions

export interface SessionVerbs {
  /** Finds the session or makes an empty one. */
  openSession(input: { key: SessionKey; atMs: number }): Promise<Session>
  readSession(key: SessionKey): Promise<Session | null>
  /** Newest activity first, by keyset. @throws CURSOR_INVALID */
  listSessions(query: SessionQuery): Promise<Page<Session>>
  /** @throws SESSION_NOT_FOUND */
  patchSession(input: { key: SessionKey; title?: string | null; pinned?: boolean; atMs: number }): Promise<Session>
  /**
   * Starts a new transcript that opens with an event entry. A running turn is settled as cancelled and fenced off;
   * waiting turns stay and run in the new transcript. @throws SESSION_NOT_FOUND
   */
  resetSession(input: { key: SessionKey; reason: string; atMs: number }): Promise<ResetResult>
  /** Out of the lists until its next message, which opens it again. @throws SESSION_NOT_FOUND, SESSION_BUSY */
  archiveSession(input: { key: SessionKey; atMs: number }): Promise<Session>
  /** Entries whose text contains every word, newest first; scans, bounded by `limit` and by time. */
  searchEntries(query: SearchQuery): Promise<Page<SearchHit>>
}

export interface SessionQuery {
  limit: number
  after?: string
  kind?: SessionKind
  agentId?: string
  state?: SessionState
  /** Only keys that begin with this. */
  prefix?: string
  /** Only sessions with a running or waiting turn (true) or without (false). */
  busy?: boolean
}

export interface ResetResult {
  session: Session
  previousTranscript: number
  cancelledTurnId: string | null
}

export interface SearchQuery {
  text: string
  limit: number
  after?: string
  key?: SessionKey
}

export interface SearchHit {
  sessionKey: SessionKey
  transcript: number
  entry: Entry
}

// ---------------------------------------------------------------- entries

export interface EntryVerbs {
  /**
   * Appends at the head, all or none. Only the holder of the session's lease may: `fence` must be the current one.
   * `head` is the last `seq` the writer knows; when these very entries stand there already, that is the success of
   * an earlier try. @throws FENCED, HEAD_MOVED
   */
  appendEntries(input: AppendInput): Promise<{ head: number }>
  /** A slice by keyset, bounded in rows and bytes. @throws SESSION_NOT_FOUND */
  readEntries(query: EntryQuery): Promise<EntryPage>
  /**
   * What the model may be shown: the newest summary of the current transcript and the newest entries after it, oldest
   * first, as many as `tokensMax` and `bytesMax` hold (at least the last one). Entries of failed attempts and of turns
   * that the model refused (MODEL_REJECTED) are left out. @throws SESSION_NOT_FOUND
   */
  readContext(query: ContextQuery): Promise<ContextSource>
}

export interface AppendInput {
  key: SessionKey
  turnId: string
  fence: number
  head: number
  entries: NewEntry[]
  atMs: number
}

export interface EntryQuery {
  key: SessionKey
  /** Which incarnation; the current one when absent. */
  transcript?: number
  order: 'oldest' | 'newest'
  /** Only entries after this `seq` in reading order: greater for `oldest`, smaller for `newest`. */
  after?: number
  limit: number
  kinds?: EntryKind[]
}

export interface EntryPage {
  transcript: number
  entries: Entry[]
  /** Give it back as `after`; null at the end. */
  next: number | null
}

export interface ContextQuery {
  key: SessionKey
  /** Leaves out the entries of this turn: its own messages are put last by the caller. */
  exceptTurnId?: string
  tokensMax: number
  bytesMax: number
}

export interface ContextSource {
  transcript: number
  head: number
  summary: Summary | null
  entries: Entry[]
  /** Shown kinds only: how many entries after the summary did not fit, and their tokens. */
  olderCount: number
  olderTokens: number
  meterRatio: number
}

// ---------------------------------------------------------------- turns

export interface TurnVerbs {
  /**
   * Durable admission. Opens the session, or opens it again when it was archived. A `dedupeKey` that was used in this
   * session gives the same turn back with `repeated`. `coalesce` joins a waiting turn of the session that has
   * the same request and whose window is open. `interrupt` marks the running turn as cancelled (`cancelRequested`) and puts this
   * one next. @throws SESSION_BUSY (reject), QUEUE_FULL, IDEMPOTENCY_MISMATCH
   */
  admitTurn(input: AdmitInput): Promise<AdmitResult>
  /**
   * Takes the next turn by the lane rules (`planClaim`), its session's lease with a new fence, counts the attempt, and
   * appends the turn's messages to the transcript, in one step. Null when nothing can start.
   */
  claimTurn(input: ClaimInput): Promise<Claim | null>
  /** "Still alive, doing this." @throws FENCED */
  recordProgress(input: { key: SessionKey; fence: number; note: string; atMs: number }): Promise<void>
  /**
   * Ends a running turn: entries, outcome, usage, deliveries and the lease, in one step. The same call again
   * finds the turn settled and succeeds. @throws FENCED, HEAD_MOVED
   */
  settleTurn(input: SettleInput): Promise<Turn>
  /** Queues an interrupted turn again, in `lane`. New messages of its session go before it. @throws TURN_NOT_FOUND */
  requeueTurn(input: { turnId: string; lane: LaneName; atMs: number }): Promise<Turn>
  /**
   * A waiting or interrupted turn ends as cancelled at once; a running one gets `cancelRequested`, and whoever runs it must settle
   * or revoke it. @throws TURN_NOT_FOUND, TURN_SETTLED
   */
  cancelTurn(input: { turnId: string; reason: string; atMs: number }): Promise<Turn>
  /**
   * Takes a running turn from its holder without its help: the fence grows, the lease ends, the turn is settled with
   * this outcome and an event entry, the session's queue goes on. @throws TURN_NOT_FOUND, TURN_SETTLED
   */
  revokeTurn(input: RevokeInput): Promise<Turn>
  /** Ends an interrupted turn that is not to run again (attempts used up). @throws TURN_NOT_FOUND, TURN_SETTLED */
  quarantineTurn(input: { turnId: string; outcome: ErrorRecord; atMs: number }): Promise<Turn>
  readTurn(turnId: string): Promise<TurnDetail | null>
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
  /** Turns that may wait in this session, and in the whole store. */
  queuedMax: { session: number; total: number }
  atMs: number
}

export interface AdmitResult {
  turn: Turn
  repeated: boolean
  coalesced: boolean
  /** The running turn that `interrupt` asked to stop. */
  interruptedTurnId: string | null
}

export interface ClaimInput {
  holder: Holder
  limits: LaneLimits
  atMs: number
}

export interface Claim {
  turn: Turn
  inbound: Inbound[]
  request: TurnRequest
  session: Session
  fence: number
  /** After the turn's own messages were appended. */
  head: number
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
  /** Where the reply is to be sent; empty when the client that waits is the only one. */
  deliverTo: string[]
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

export interface TurnQuery {
  limit: number
  order: 'oldest' | 'newest'
  after?: string
  key?: SessionKey
  statuses?: TurnStatus[]
}

// ---------------------------------------------------------------- leases

export interface LeaseVerbs {
  listLeases(): Promise<Lease[]>
  /**
   * Every lease of a holder that is proven to have ended: the fence grows, its turn becomes `interrupted`, the
   * session's queue goes on. The caller brings the proof (P10).
   */
  expireLeases(input: { holderIds: string[]; atMs: number }): Promise<Turn[]>
}

// ---------------------------------------------------------------- summaries

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

// ---------------------------------------------------------------- deliveries

export interface DeliveryVerbs {
  /** The oldest due delivery; it becomes `sending` and its attempt is counted before it is made. */
  claimDelivery(input: { atMs: number }): Promise<(Delivery & { reply: Entry[] }) | null>
  /** `pending` with a later time tries again; `failed` and `unknown` are final. */
  settleDelivery(input: {
    id: number
    status: Exclude<DeliveryStatus, 'sending'>
    error: string | null
    nextAttemptAtMs: number
  }): Promise<void>
  /** At start: what was `sending` when its process ended is `unknown`, never silently repeated. Gives how many. */
  markUnknownDeliveries(input: { atMs: number }): Promise<number>
}

// ---------------------------------------------------------------- upkeep

export interface UpkeepVerbs {
  statistics(): Promise<StoreStatistics>
  /** Whether a write would be durable now; it makes one. @throws the reason why not */
  probe(): Promise<void>
  /** Database integrity and Holdfast's own invariants. `quick` skips the full read of every page. */
  verify(input: { quick: boolean; atMs: number }): Promise<VerifyReport>
  /** A consistent copy while writing goes on, reopened and verified. `directory` is new or empty. @throws BACKUP_FAILED */
  backup(input: { directory: string; atMs: number }): Promise<BackupReport>
}

export interface StoreStatistics {
  sessions: number
  sessionsArchived: number
  entries: number
  turnsQueued: number
  turnsRunning: number
  turnsInterrupted: number
  lanes: LaneStatistics[]
  bytes: { database: number; log: number; free: number; blobs: number; diskFree: number }
  /** The last `verify`, also of an earlier process. */
  lastVerify: { atMs: number; ok: boolean } | null
  writable: boolean
  /** Writes refused because their fence was old, since the store was opened. */
  fencedWrites: number
  /** When the next turn that waits for more messages becomes due; null when none does. */
  nextDueAtMs: number | null
}

export interface LaneStatistics {
  lane: LaneName
  queued: number
  running: number
  oldestQueuedAtMs: number | null
}

export interface VerifyReport {
  ok: boolean
  checks: { name: string; ok: boolean; problems: string[] }[]
  sessions: number
  entries: number
  durationMs: number
}

export interface BackupReport {
  path: string
  bytes: number
  sha256: string
  verify: VerifyReport
}

/** What an adapter measures of itself; every field in milliseconds or counts. */
export interface StoreTelemetry {
  /** From the call to the durable answer. */
  verb(name: keyof Store, ms: number, ok: boolean): void
  /** One group commit: how long it took on the disk, and how many verbs it served. */
  commit(ms: number, verbs: number): void
  /** The store became read-only, or writable again. */
  writable(writable: boolean, because: ErrorRecord | null): void
}


/** How an adapter is opened: `sqliteStore(directory)` gives one of these. @throws every STORE_ code of opening */
export type OpenStore = (input: { holder: Holder; telemetry: StoreTelemetry; atMs: number }) => Promise<Store>
