import type { ErrorCode } from '../model/errors.ts'

export interface RetryLimits {
  /** Calls for one answer, the first included. */
  attemptsMax: number
  /** From the first call to the start of the last. */
  budgetMs: number
  backoffMs: { first: number; max: number }
}

/** One call that failed. */
export interface FailedCall {
  code: ErrorCode
  /** What the provider asked for; null when it said nothing. */
  retryAfterMs: number | null
  /** Calls made so far. */
  attempts: number
  elapsedMs: number
  /** Somebody reads along and has seen a part of the answer, which cannot be taken back. */
  shown: boolean
  /** From 0 to 1; spreads the retries of many turns that failed at the same moment. */
  jitter: number
}

export type RetryPlan =
  | { kind: 'retry'; delayMs: number }
  | {
      kind: 'stop'
      because: 'it would fail again' | 'its beginning was shown' | 'attempts used up' | 'budget used up'
    }

/** Failures that pass by themselves. A refused request or key stays refused. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MODEL_RATE_LIMITED',
  'MODEL_UNAVAILABLE',
  'MODEL_TIMEOUT',
  'MODEL_MALFORMED',
  'MODEL_EMPTY',
])

/** Twice as long after each call, the provider's own wish if it is longer, never beyond the budget. */
export function planRetry(failed: FailedCall, limits: RetryLimits): RetryPlan {
  if (!passing.has(failed.code)) return { kind: 'stop', because: 'it would fail again' }
  if (failed.shown) return { kind: 'stop', because: 'its beginning was shown' }
  if (failed.attempts >= limits.attemptsMax) return { kind: 'stop', because: 'attempts used up' }
  const { first, max } = limits.backoffMs
  const backoffMs = Math.min(max, first * 2 ** Math.min(failed.attempts - 1, 30)) * (0.5 + failed.jitter / 2)
  const delayMs = Math.ceil(Math.max(backoffMs, failed.retryAfterMs ?? 0))
  if (failed.elapsedMs + delayMs > limits.budgetMs) return { kind: 'stop', because: 'budget used up' }
  return { kind: 'retry', delayMs }
}
