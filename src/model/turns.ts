import type { ErrorRecord } from './errors.ts'
import type { SessionKey } from './keys.ts'
import type { LaneName } from './lanes.ts'
import type { Message, SystemMessage } from './messages.ts'

/**
 * `queued → running → done | failed | cancelled | quarantined`; `interrupted` is a turn that was found running under
 * a holder that has ended, and waits to be queued again.
 */
export const turnStatuses = ['queued', 'running', 'interrupted', 'done', 'failed', 'cancelled', 'quarantined'] as const
export type TurnStatus = (typeof turnStatuses)[number]
export type SettledStatus = 'done' | 'failed' | 'cancelled' | 'quarantined'

export function isSettled(status: TurnStatus): status is SettledStatus {
  return status === 'done' || status === 'failed' || status === 'cancelled' || status === 'quarantined'
}

/** What a new message does when its session is busy. */
export const busyPolicies = ['queue', 'coalesce', 'interrupt', 'reject'] as const
export type BusyPolicy = (typeof busyPolicies)[number]

/** How the model is to be asked: everything of the request that is not history. */
export interface TurnRequest {
  /** Leading system and developer messages; they hold for this turn only. */
  instructions: SystemMessage[]
  /** Fields for the model that Holdfast does not interpret: `temperature`, `tools`, `response_format`, unknown ones. */
  params: Record<string, unknown>
  /** A client reads the answer as it is made; then a broken answer cannot be silently begun again. */
  streaming: boolean
  /** Where the reply, or why there is none, is sent besides to the client that waits: the builder's own words, `telegram:42`. */
  deliverTo?: string[]
}

/** Token counts as the provider reported them. */
export interface Usage {
  promptTokens: number
  completionTokens: number
  totalTokens: number
}

export interface Turn {
  id: string
  /** Order of admission over the whole store. */
  position: number
  sessionKey: SessionKey
  lane: LaneName
  /** Who sent it (a channel, a cron job, an API client); quotas and metrics group by it. */
  source: string
  status: TurnStatus
  /** Counted before dispatch. */
  attempts: number
  /** Of these, attempts that a clean end of the gateway cut short: they do not count towards quarantine. */
  handedOver: number
  /** What stood in the way when it was admitted; null when it could start at once. */
  blockedBy: WaitCause | null
  admittedAtMs: number
  /** When nothing of its own session stood before it any more. */
  readyAtMs: number | null
  startedAtMs: number | null
  progressAtMs: number | null
  settledAtMs: number | null
  /** Set when somebody asked for it to stop, with the reason. */
  cancelRequested: string | null
  /** Why it did not end as `done`; null when it did or has not ended. */
  outcome: ErrorRecord | null
  finishReason: string | null
  usage: Usage | null
  /** Which transcript its entries are in, and the first and last `seq` of its reply; null before. */
  transcript: number | null
  replyFromSeq: number | null
  replyToSeq: number | null
  /** The turn that was let out of quarantine in its place; null while it is there. */
  releasedAs: string | null
}

/** One accepted request; a coalesced turn has several. */
export interface Inbound {
  dedupeKey: string | null
  messages: Message[]
  atMs: number
}

/** Why a turn waited. `compaction` is on the list so that it can be seen to stay at 0. */
/** A window in which messages join lasts no longer; one that ends later than that was opened before a clock was set back. */
export const windowMaxMs = 3_600_000

export const waitCauses = ['session', 'lane', 'lease', 'recovery', 'disk', 'compaction'] as const
export type WaitCause = (typeof waitCauses)[number]
