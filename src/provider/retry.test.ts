import { describe, expect, it } from 'vitest'
import { type FailedCall, planRetry, type RetryLimits } from './retry.ts'

const limits: RetryLimits = { attemptsMax: 3, budgetMs: 60_000, backoffMs: { first: 1_000, max: 5_000 } }
const failed = (rest: Partial<FailedCall> = {}): FailedCall => {
  return { code: 'MODEL_UNAVAILABLE', retryAfterMs: null, attempts: 1, elapsedMs: 0, shown: false, jitter: 1, ...rest }
}

describe('planRetry', () => {
  it('waits twice as long after each call', () => {
    expect(planRetry(failed(), limits)).toEqual({ kind: 'retry', delayMs: 1_000 })
    expect(planRetry(failed({ attempts: 2 }), limits)).toEqual({ kind: 'retry', delayMs: 2_000 })
    expect(planRetry(failed({ attempts: 9 }), { ...limits, attemptsMax: 10 })).toEqual({
      kind: 'retry',
      delayMs: 5_000,
    })
  })

  it('spreads retries over half of the pause', () => {
    expect(planRetry(failed({ jitter: 0 }), limits)).toEqual({ kind: 'retry', delayMs: 500 })
  })

  it('waits as long as the provider asks for', () => {
    const code = 'MODEL_RATE_LIMITED'
    expect(planRetry(failed({ code, retryAfterMs: 20_000 }), limits)).toEqual({ kind: 'retry', delayMs: 20_000 })
  })

  it('does not wait beyond its budget, to the millisecond', () => {
    expect(planRetry(failed({ elapsedMs: 59_000 }), limits)).toMatchObject({ kind: 'retry' })
    expect(planRetry(failed({ elapsedMs: 59_001 }), limits)).toEqual({ kind: 'stop', because: 'budget used up' })
    expect(planRetry(failed({ retryAfterMs: 60_001 }), limits)).toEqual({ kind: 'stop', because: 'budget used up' })
  })

  it('ends after the last attempt', () => {
    expect(planRetry(failed({ attempts: 3 }), limits)).toEqual({ kind: 'stop', because: 'attempts used up' })
  })

  it.each(['MODEL_AUTH', 'MODEL_REJECTED', 'RUNNER_FAILED'] as const)('does not repeat what ends in %s', (code) => {
    expect(planRetry(failed({ code }), limits)).toEqual({ kind: 'stop', because: 'it would fail again' })
  })

  it('does not begin again what somebody has read', () => {
    expect(planRetry(failed({ shown: true }), limits)).toEqual({ kind: 'stop', because: 'its beginning was shown' })
  })
})
