import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCatalog, HoldfastError, recordOf } from '../model/errors.ts'
import { errorBodySchema, errorResponse, statusOf } from './errors.ts'

const codes = Object.keys(errorCatalog) as ErrorCode[]

it.each(codes)('gives %s in the documented shape', async (code) => {
  const response = errorResponse(recordOf(new HoldfastError(code, { because: 'of this', param: 'here' })))
  expect(response.status).toBe(statusOf(code))
  expect(response.status).toBeGreaterThanOrEqual(400)
  const { error } = errorBodySchema.parse(await response.json())
  expect(error).toMatchObject({ param: 'here', fix: errorCatalog[code].fix, facts: { because: 'of this' } })
})

describe('the two codes that clients know', () => {
  it.each([
    ['CONTEXT_TOO_LARGE', 'context_length_exceeded'],
    ['MODEL_UNKNOWN', 'model_not_found'],
  ] as const)('%s is %s', async (code, wire) => {
    const { error } = errorBodySchema.parse(await errorResponse(recordOf(new HoldfastError(code))).json())
    expect(error.code).toBe(wire)
  })
})

describe('retries', () => {
  const shouldRetry = (code: ErrorCode, accepted: boolean) =>
    errorResponse(recordOf(new HoldfastError(code)), accepted).headers.get('x-should-retry')

  it.each(['SESSION_BUSY', 'QUEUE_FULL', 'STORE_FULL', 'GATEWAY_CLOSING'] as const)(
    'are welcome after %s, unless the message was accepted',
    (code) => {
      expect(shouldRetry(code, false)).toBe('true')
      expect(shouldRetry(code, true)).toBe('false')
    },
  )

  it.each(['STORE_IO', 'INTERNAL', 'MODEL_UNAVAILABLE', 'MODEL_RATE_LIMITED'] as const)(
    'are not asked for after %s, which does not prove that nothing was accepted',
    (code) => expect(shouldRetry(code, false)).toBe('false'),
  )

  it('are told when to come, in whole seconds and exactly', () => {
    const error = recordOf(new HoldfastError('QUEUE_FULL', {}, { retryAfterMs: 1_200 }))
    const { headers } = errorResponse(error)
    expect(headers.get('retry-after')).toBe('2')
    expect(headers.get('retry-after-ms')).toBe('1200')
  })
})

it('says nothing about an error of another kind but its name', async () => {
  const response = errorResponse(recordOf(new TypeError('what somebody wrote')))
  const { error } = errorBodySchema.parse(await response.json())
  expect(JSON.stringify(error)).not.toContain('somebody')
  expect(error).toMatchObject({ code: 'INTERNAL', facts: { name: 'TypeError' } })
})
