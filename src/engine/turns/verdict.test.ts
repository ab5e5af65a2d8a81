import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../model/errors.ts'
import { type Cut, type Ending, planEnding } from './verdict.ts'

const reply = { messages: [], finishReason: null, usage: null, replaced: 0 }
const returned: Ending = { kind: 'returned', reply }
const threw: Ending = { kind: 'threw', error: new DOMException('stop', 'AbortError') }
const ignored: Ending = { kind: 'ignored' }

describe('a turn that nobody stopped', () => {
  it('is done with its reply', () => expect(planEnding(null, returned)).toEqual({ kind: 'done', reply }))
  it('fails with the code of a typed error', () => {
    const error = new HoldfastError('MODEL_RATE_LIMITED', { status: 429 }, { retryAfterMs: 5 })
    expect(planEnding(null, { kind: 'threw', error })).toMatchObject({
      kind: 'settle',
      status: 'failed',
      outcome: { code: 'MODEL_RATE_LIMITED', facts: { status: 429 }, retryAfterMs: 5 },
    })
  })
  it('fails with the name of any other error, and without its words', () => {
    const verdict = planEnding(null, { kind: 'threw', error: new TypeError('a secret') })
    expect(verdict).toMatchObject({ kind: 'settle', outcome: { code: 'RUNNER_FAILED', facts: { name: 'TypeError' } } })
    expect(JSON.stringify(verdict)).not.toContain('secret')
  })
  it('is not settled when the store has refused its writes', () => {
    expect(planEnding(null, { kind: 'threw', error: new HoldfastError('FENCED') })).toMatchObject({ kind: 'drop' })
  })
})

describe('a turn that was stopped', () => {
  it.each<[Cut, string, string]>([
    [{ kind: 'cancelled' }, 'cancelled', 'TURN_CANCELLED'],
    [{ kind: 'time limit', limitMs: 7 }, 'failed', 'TURN_TIME_LIMIT'],
    [{ kind: 'stalled', limitMs: 7 }, 'failed', 'TURN_STALLED'],
  ])('by %o ends so, whatever its runner does then', (cut, status, code) => {
    expect(planEnding(cut, threw)).toMatchObject({ kind: 'settle', status, outcome: { code } })
    expect(planEnding(cut, returned)).toMatchObject({ kind: 'settle', status, outcome: { code } })
    expect(planEnding(cut, ignored)).toMatchObject({ kind: 'revoke', status, outcome: { code } })
  })
  it('by a reset is left to the reset', () => {
    for (const ending of [returned, threw, ignored]) {
      expect(planEnding({ kind: 'fenced', because: 'reset' }, ending)).toEqual({ kind: 'drop', because: 'reset' })
    }
  })
  it('by a shutdown keeps a finished answer, and else is run again', () => {
    expect(planEnding({ kind: 'closing' }, returned)).toMatchObject({ kind: 'done' })
    expect(planEnding({ kind: 'closing' }, threw)).toEqual({ kind: 'leave' })
    expect(planEnding({ kind: 'closing' }, ignored)).toEqual({ kind: 'leave' })
  })
})
