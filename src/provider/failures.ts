import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { type ErrorCode, type ErrorFacts, HoldfastError, isHoldfastError } from '../model/errors.ts'
import { cutText } from '../model/text.ts'

/** Enough to see what a provider did not like; longer ones quote the request. UTF-16 units. */
const providerMessageMax = 300

/** What a failed call to the model is called here. */
export function failureOf(error: unknown, nowMs: number): HoldfastError {
  if (isHoldfastError(error)) return error
  if (error instanceof APIConnectionTimeoutError) return new HoldfastError('MODEL_TIMEOUT', {}, { cause: error })
  if (error instanceof APIConnectionError) return connectionFailure(error)
  if (error instanceof APIError) return providerFailure(error, nowMs)
  if (error instanceof SyntaxError) {
    return new HoldfastError('MODEL_MALFORMED', { because: 'a part of the stream is not JSON' }, { cause: error })
  }
  return connectionFailure(error)
}

/** Fetch hides the reason one or two causes deep; its code names the step that failed. */
function connectionFailure(error: unknown): HoldfastError {
  const reason = codeIn(error) ?? 'the connection broke'
  const late = reason === 'UND_ERR_HEADERS_TIMEOUT' || reason === 'UND_ERR_BODY_TIMEOUT' || reason === 'ETIMEDOUT'
  return new HoldfastError(late ? 'MODEL_TIMEOUT' : 'MODEL_UNAVAILABLE', { because: reason }, { cause: error })
}

function codeIn(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === 'string') return code
  }
  return null
}

function providerFailure(error: InstanceType<typeof APIError>, nowMs: number): HoldfastError {
  const status: number | undefined = error.status ?? statusIn(error)
  const code = codeFor(status)
  const retryAfterMs = retryAfterOf(error.headers, nowMs)
  const facts: Record<string, string | number | boolean> = {}
  if (status !== undefined) facts.status = status
  if (typeof error.code === 'string') facts.providerCode = cutText(error.code, providerMessageMax)
  if (code === 'MODEL_REJECTED' && saysTooLong(error)) facts.contextTooLong = true
  // A refused key is quoted in part by some providers.
  if (code !== 'MODEL_AUTH') facts.providerMessage = cutText(messageOf(error), providerMessageMax)
  const options = retryAfterMs === null ? { cause: error } : { cause: error, retryAfterMs }
  return new HoldfastError(code, facts satisfies ErrorFacts, options)
}

/** An error in the middle of a stream has no status of its own; some servers put it into the code. */
function statusIn(error: InstanceType<typeof APIError>): number | undefined {
  const code: unknown = error.code
  if (typeof code === 'number') return code
  const words = `${String(code)} ${String(error.type)}`
  return words.includes('rate_limit') ? 429 : undefined
}

function codeFor(status: number | undefined): ErrorCode {
  if (status === undefined || status >= 500) return 'MODEL_UNAVAILABLE'
  if (status === 429) return 'MODEL_RATE_LIMITED'
  if (status === 408) return 'MODEL_TIMEOUT'
  return status === 401 || status === 403 ? 'MODEL_AUTH' : 'MODEL_REJECTED'
}

/** OpenAI has a code for it; llama.cpp, vLLM and others have words. */
function saysTooLong(error: InstanceType<typeof APIError>): boolean {
  return (
    error.code === 'context_length_exceeded' || /context (length|size|window)|too many tokens/i.test(messageOf(error))
  )
}

function messageOf(error: InstanceType<typeof APIError>): string {
  const said = (error.error as { message?: unknown } | undefined)?.message
  return typeof said === 'string' ? said : error.message
}

/** RFC 9110, section 10.2.3: seconds or a date; and OpenAI's own header in milliseconds. */
function retryAfterOf(headers: Headers | undefined, nowMs: number): number | null {
  const exact = Number(headers?.get('retry-after-ms') ?? Number.NaN)
  if (Number.isFinite(exact)) return Math.max(0, exact)
  const text = headers?.get('retry-after')
  if (!text) return null
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}
