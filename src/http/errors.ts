import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { type ErrorCode, type ErrorRecord, errorCatalog } from '../model/errors.ts'

/** What a code is over HTTP. */
interface Meaning {
  status: ContentfulStatusCode
  /** Whose matter it is; for clients that look at `type` as OpenAI's documentation has it. */
  type: string
  /** Nothing was accepted for certain, and the same request may succeed later. */
  retry: boolean
}

const meaning = (status: ContentfulStatusCode, type: string, retry = false): Meaning => ({ status, type, retry })
const badRequest = meaning(400, 'invalid_request_error')
const absent = meaning(404, 'not_found_error')
const conflict = meaning(409, 'conflict_error')
const summaryFailed = meaning(502, 'model_error')
const modelFailed = meaning(502, 'model_error')
/** Of commands on homes only: no route answers with it. */
const ofCommands = meaning(500, 'server_error')
const storeFailed = meaning(503, 'store_error')

/** A `Record`, so that a new code does not compile until it stands here. */
const meanings: Record<ErrorCode, Meaning> = {
  REQUEST_INVALID: badRequest,
  REQUEST_TOO_LARGE: meaning(413, 'invalid_request_error'),
  CONTEXT_TOO_LARGE: badRequest,
  SESSION_KEY_INVALID: badRequest,
  SESSION_NOT_FOUND: absent,
  SESSION_BUSY: meaning(409, 'conflict_error', true),
  QUEUE_FULL: meaning(429, 'rate_limit_error', true),
  TURN_NOT_FOUND: absent,
  TURN_SETTLED: conflict,
  IDEMPOTENCY_MISMATCH: meaning(422, 'invalid_request_error'),
  CURSOR_INVALID: badRequest,
  MODEL_UNKNOWN: absent,
  AUTH_REQUIRED: meaning(401, 'authentication_error'),
  HOST_REFUSED: meaning(403, 'permission_error'),
  NOT_FOUND: absent,
  CONFIG_INVALID: meaning(500, 'server_error'),
  USAGE: badRequest,
  ADDRESS_IN_USE: meaning(500, 'server_error'),
  ADDRESS_UNUSABLE: meaning(500, 'server_error'),
  FILE_EXISTS: conflict,

  JOB_NOT_FOUND: absent,
  JOB_INVALID: badRequest,
  JOB_LIMIT: conflict,
  JOB_RUNNING: conflict,

  ARCHIVE_NOT_FOUND: absent,
  ARCHIVE_DAMAGED: meaning(500, 'store_error'),
  ARCHIVE_CONFLICT: conflict,
  RETENTION_BUSY: meaning(429, 'conflict_error'),
  CLOCK_SUSPECT: conflict,

  HOME_NOT_FOUND: ofCommands,
  HOME_UNREADABLE: ofCommands,
  HOME_READ_ONLY: ofCommands,
  HOME_GENERATION: ofCommands,
  HOME_UNSAFE: ofCommands,
  HOME_CHANGED: ofCommands,
  HOME_BUSY: ofCommands,
  HOME_CONFIG_INVALID: ofCommands,
  INDEX_UNREADABLE: ofCommands,
  REPAIR_REFUSED: ofCommands,
  MANIFEST_INVALID: ofCommands,
  UNDO_CONFLICT: ofCommands,
  KEEPER_RUNNING: ofCommands,
  COMMAND_MISSING: ofCommands,
  COMMAND_FAILED: ofCommands,
  OPENCLAW_MISSING: ofCommands,
  OPENCLAW_FAILED: ofCommands,
  SCHEDULE_FAILED: ofCommands,
  ALERT_FAILED: ofCommands,
  IMPORT_MISMATCH: ofCommands,

  FENCED: conflict,
  HEAD_MOVED: conflict,

  SUMMARY_NOT_FOUND: absent,
  SUMMARY_STALE: conflict,
  SUMMARY_REFUSED: summaryFailed,
  SUMMARY_NOTHING_TO_DO: conflict,
  SUMMARY_TIMEOUT: meaning(504, 'model_error'),
  SUMMARY_FAILED: summaryFailed,

  STORE_FULL: meaning(507, 'store_error', true),
  STORE_IO: storeFailed, // whether it was written is not known, so no blind repeat
  STORE_CORRUPT: meaning(500, 'store_error'),
  STORE_NEWER: storeFailed,
  STORE_FOREIGN: storeFailed,
  STORE_PERMISSION: storeFailed,
  STORE_FILESYSTEM: storeFailed,
  STORE_IN_USE: storeFailed,
  STORE_CLOSED: storeFailed,
  STORE_READ_ONLY: storeFailed,
  STORE_SQLITE_TOO_OLD: storeFailed,
  STORE_MISSING: storeFailed,
  STORE_OLDER: storeFailed,
  STORE_URL_INVALID: storeFailed,
  STORE_UNREACHABLE: storeFailed,
  STORE_CREDENTIALS: storeFailed,
  STORE_TLS: storeFailed,
  STORE_RIGHTS: storeFailed,
  BACKUP_ELSEWHERE: meaning(501, 'store_error'),
  BACKUP_FAILED: meaning(500, 'store_error'),

  MODEL_RATE_LIMITED: meaning(429, 'rate_limit_error'),
  MODEL_UNAVAILABLE: modelFailed,
  MODEL_TIMEOUT: meaning(504, 'model_error'),
  MODEL_MALFORMED: modelFailed,
  MODEL_REJECTED: badRequest,
  MODEL_AUTH: modelFailed,
  MODEL_EMPTY: modelFailed,

  TURN_TIME_LIMIT: meaning(504, 'turn_error'),
  TURN_STALLED: meaning(504, 'turn_error'),
  TURN_CANCELLED: conflict,
  TURN_INTERRUPTED: meaning(503, 'turn_error'),
  TURN_QUARANTINED: meaning(500, 'turn_error'),
  TURN_NOT_QUARANTINED: conflict,
  TURN_STALE: meaning(500, 'turn_error'),
  TURN_NOT_RESUMED: meaning(500, 'turn_error'),
  TURN_RELEASED: conflict,
  RUNNER_FAILED: meaning(500, 'turn_error'),

  GATEWAY_CLOSING: meaning(503, 'server_error', true),
  GATEWAY_UNREACHABLE: meaning(502, 'server_error'),
  GATEWAY_SILENT: meaning(504, 'server_error'),
  INTERNAL: meaning(500, 'server_error'),
}

/** Two codes have names that OpenAI's clients look for. */
const knownToClients: Partial<Record<ErrorCode, string>> = {
  CONTEXT_TOO_LARGE: 'context_length_exceeded',
  MODEL_UNKNOWN: 'model_not_found',
}

export const errorBodySchema = z
  .strictObject({
    error: z.strictObject({
      message: z.string().describe('For people. May change; branch on `code`.'),
      type: z.string(),
      code: z.string().describe('Stable.'),
      param: z.string().nullable().describe('The part of the request that is at fault.'),
      fix: z.string().describe('What to do about it.'),
      facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
      retry_after_ms: z.number().nullable(),
    }),
  })
  .meta({ id: 'Error' })

export type ErrorBody = z.output<typeof errorBodySchema>

export function statusOf(code: ErrorCode): ContentfulStatusCode {
  return meanings[code].status
}

/** The `code` that goes over the wire. */
export function wireCodeOf(code: ErrorCode): string {
  return knownToClients[code] ?? code
}

export function errorBody({ code, message, facts, retryAfterMs }: ErrorRecord): ErrorBody {
  const param = typeof facts.param === 'string' ? facts.param : null
  return {
    error: {
      message,
      type: meanings[code].type,
      code: wireCodeOf(code),
      param,
      fix: errorCatalog[code].fix,
      facts: { ...facts },
      retry_after_ms: retryAfterMs,
    },
  }
}

/**
 * `accepted`: the message is in the store, so a blind repeat would be a second message. The official client repeats
 * 409, 429 and 5xx by itself unless `x-should-retry` says otherwise.
 */
export function errorResponse(record: ErrorRecord, accepted = false, headers: Record<string, string> = {}): Response {
  const { status, retry } = meanings[record.code]
  const later: Record<string, string> =
    record.retryAfterMs === null
      ? {}
      : {
          'retry-after': String(Math.max(1, Math.ceil(record.retryAfterMs / 1_000))),
          'retry-after-ms': String(Math.round(record.retryAfterMs)),
        }
  const challenge: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  return Response.json(errorBody(record), {
    status,
    headers: { ...headers, ...later, ...challenge, 'x-should-retry': String(retry && !accepted) },
  })
}
