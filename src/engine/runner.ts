import type { Entry, EntryKind } from '../model/entries.ts'
import type { Delivery } from '../model/holders.ts'
import type { SessionKey } from '../model/keys.ts'
import type { Message, SystemMessage } from '../model/messages.ts'
import type { Usage } from '../model/turns.ts'

/**
 * The builder's own part: answers one turn. What it returns is stored as the turn's reply, once. An error it throws
 * ends the turn as `failed`: a HoldfastError with its own code, any other as RUNNER_FAILED.
 */
export type Runner = (turn: RunningTurn) => Promise<RunResult | string>

export interface RunningTurn {
  readonly id: string
  readonly sessionKey: SessionKey
  /** 1 for the first run; more after the process ended in the middle of one. */
  readonly attempt: number
  /** What is to be answered. */
  readonly messages: readonly Message[]
  readonly instructions: readonly SystemMessage[]
  /** Request fields that pass through to the model. */
  readonly params: Readonly<Record<string, unknown>>
  /** Somebody reads along: what was emitted cannot be taken back. */
  readonly streaming: boolean
  /** Everything the model should see, in order: instructions, summary, history that fits, `messages` last. */
  readonly context: readonly Message[]
  /** Aborted on cancellation, time limit, stall, reset and shutdown. After a grace period the turn is fenced off. */
  readonly signal: AbortSignal
  /** Stores entries now, durably, before the turn ends (tool calls and their results). @throws HoldfastError FENCED */
  append(messages: readonly Message[]): Promise<readonly Entry[]>
  /** A piece of the answer for those who follow live; not stored. Counts as progress. */
  emit(delta: string | AnswerDelta): void
  /** What was emitted so far is void: those who follow are told that the answer begins again. */
  restart(): void
  /** "Still alive, doing this": keeps the stall limit from firing. The note shows in `holdfast why`. */
  progress(note: string): void
}

/** Fields of an OpenAI stream chunk's `delta`. */
export interface AnswerDelta {
  content?: string
  [other: string]: unknown
}

export interface RunResult {
  /** The reply: usually one assistant message; more when tools ran inside the runner. */
  messages: Message[]
  finishReason?: string
  usage?: Usage
}

/** Writes a note that replaces old entries in the context. Called with nothing held; may be slow, may fail. */
export type Summarizer = (job: SummaryJob) => Promise<string>

export interface SummaryJob {
  readonly sessionKey: SessionKey
  /** The note that the new one continues and replaces; null for the first. */
  readonly previous: string | null
  readonly entries: readonly { kind: EntryKind; message: Message }[]
  /** The answer must have fewer tokens than this. */
  readonly tokensMax: number
  readonly signal: AbortSignal
}

/**
 * Sends a reply to its channel; where there is none, `delivery.outcome` says why (all but cancellations are told). Resolve
 * when it was sent. Throw a {@link DeliveryRefused} when it certainly was not;
 * any other error leaves the outcome unknown, and it is not tried again.
 */
export type Deliver = (delivery: Delivery, reply: readonly Entry[], signal: AbortSignal) => Promise<void>

/** "It was certainly not sent": safe to try again. */
export class DeliveryRefused extends Error {
  override readonly name = 'DeliveryRefused'
}
