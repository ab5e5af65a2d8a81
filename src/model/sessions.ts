import type { SessionKey, SessionKind } from './keys.ts'

export const sessionStates = ['open', 'archived'] as const
export type SessionState = (typeof sessionStates)[number]

export interface Session {
  key: SessionKey
  agentId: string
  kind: SessionKind
  state: SessionState
  title: string | null
  pinned: boolean
  /** Which incarnation of the conversation is current; counted from 1 within the session. */
  transcript: number
  /** When the first message came into it; when it was begun, while there is none. */
  transcriptAtMs: number
  /** `seq` of the newest entry of the current transcript; 0 when it is empty. */
  head: number
  /** Grows by one whenever the session is taken. Never goes back. */
  fence: number
  /** Tokens that stand after the newest summary, plus that summary, by the meter (uncorrected). */
  contextTokens: number
  /** Provider's count divided by the meter's, smoothed; 1 until a provider has reported. */
  meterRatio: number
  turnsTotal: number
  queuedTurns: number
  running: boolean
  createdAtMs: number
  activeAtMs: number
  archivedAtMs: number | null
}

/** A note that covers the transcript up to a `seq`. It shortens what the model is shown, never the transcript. */
export interface Summary {
  id: number
  transcript: number
  /** The summary that it continues; null for the first. */
  baseId: number | null
  uptoSeq: number
  kind: 'model' | 'mechanical'
  text: string
  tokens: number
  /** What it stands for: tokens of the base summary and of the entries it covers. */
  replacedTokens: number
  atMs: number
  undoneAtMs: number | null
}
