import { mechanicalSummary } from '../../compaction/mechanical.ts'
import { countText } from '../../compaction/meter.ts'
import { type ContextSize, planCompaction } from '../../compaction/plan.ts'
import { fitForSummary } from '../../compaction/shorten.ts'
import type { Clock } from '../../host/clock.ts'
import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Session, Summary } from '../../model/sessions.ts'
import type { Store } from '../../store/port.ts'
import type { Summarizer, SummaryJob } from '../runner.ts'
import { type EngineSettings, roomTokens } from '../settings.ts'
import { until } from '../waiting.ts'
import { readPrefix, shownUpto } from './prefix.ts'

export interface SummaryGround {
  store: Store
  clock: Clock
  settings: EngineSettings
}

export interface SummaryRequest {
  key: SessionKey
  /** Of instructions and tools of the session's last turn: they take room from its history. */
  fixedTokens: number
  forced: boolean
  /** Null: without a model. */
  summarize: Summarizer | null
  signal: AbortSignal
  /** Called when there is something to summarise, before the summariser is asked. */
  started(): void
}

export interface Made {
  summary: Summary
  contextTokens: { before: number; after: number }
}

/**
 * One summary, from reading to commit, with nothing held and no lease taken. Null when there is nothing to do.
 * @throws HoldfastError SESSION_NOT_FOUND, SUMMARY_STALE, SUMMARY_REFUSED, SUMMARY_TIMEOUT, SUMMARY_FAILED, and what the
 * store throws
 */
export async function makeSummary(ground: SummaryGround, request: SummaryRequest): Promise<Made | null> {
  const { store, clock, settings } = ground
  const session = await store.readSession(request.key)
  if (session === null) throw new HoldfastError('SESSION_NOT_FOUND', { key: request.key })
  const size = sizeOf(session, settings, request.fixedTokens)
  const prefix = await readPrefix(store, session, size, request.signal)
  const plan = planCompaction({ ...size, ...prefix, entries: prefix.facts, forced: request.forced })
  if (plan.kind === 'none') return null

  request.started()
  const { tokensMax } = plan
  const previous = prefix.base?.text ?? null
  const entries = fitForSummary(shownUpto(prefix.entries, plan.uptoSeq), plan.inputTokensMax)
  const text =
    request.summarize === null
      ? mechanicalSummary(previous, entries, tokensMax - 1)
      : await ask(ground, request.summarize, {
          sessionKey: request.key,
          previous,
          entries,
          tokensMax,
          signal: request.signal,
        })
  const tokens = countText(text)
  if (text === '') throw new HoldfastError('SUMMARY_REFUSED', { because: 'it is empty' })
  if (tokens >= tokensMax) throw new HoldfastError('SUMMARY_REFUSED', { because: 'it is too long', tokens, tokensMax })
  request.signal.throwIfAborted()
  const summary = await store.commitSummary({
    key: request.key,
    transcript: session.transcript,
    baseId: prefix.base?.id ?? null,
    uptoSeq: plan.uptoSeq,
    kind: request.summarize === null ? 'mechanical' : 'model',
    text,
    tokens,
    atMs: clock.nowMs(),
  })
  const before = session.contextTokens
  return { summary, contextTokens: { before, after: before - summary.replacedTokens + summary.tokens } }
}

export function sizeOf(session: Session, settings: EngineSettings, fixedTokens: number): ContextSize {
  const { softShare, keepShare } = settings.context
  return {
    contextTokens: session.contextTokens,
    meterRatio: session.meterRatio,
    roomTokens: Math.max(1, roomTokens(settings.context) - fixedTokens * session.meterRatio),
    softShare,
    keepShare,
  }
}

/** The summariser's answer, trimmed. One that ignores its signal is abandoned, and its late answer goes nowhere. */
async function ask(ground: SummaryGround, summarize: Summarizer, job: SummaryJob): Promise<string> {
  const { timeLimitMs } = ground.settings.compaction
  const over = new AbortController()
  const signal = AbortSignal.any([job.signal, over.signal])
  const limit = new HoldfastError('SUMMARY_TIMEOUT', { timeLimitMs })
  ground.clock.sleep(timeLimitMs, signal).then(
    () => over.abort(limit),
    () => {}, // the answer came first
  )
  try {
    const answer: unknown = await until((async () => summarize({ ...job, signal }))(), signal)
    if (typeof answer === 'string') return answer.trim().toWellFormed()
    throw new HoldfastError('SUMMARY_FAILED', { because: `it answered with ${typeof answer} instead of a text` })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (isHoldfastError(error, 'SUMMARY_FAILED')) throw error
    throw new HoldfastError('SUMMARY_FAILED', failureFacts(error), { cause: error })
  } finally {
    over.abort()
  }
}

/** The message of a summariser's error may quote what people wrote; its name and code do not. */
function failureFacts(error: unknown): { because: string } {
  if (isHoldfastError(error)) return { because: error.code }
  return { because: error instanceof Error ? error.name : typeof error }
}
