import { type ErrorCode, HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Failures } from '../../relational/verbs/work.ts'

/** An error that the server reported: five letters and digits (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
interface DatabaseError extends Error {
  code: string
  severity: string
  constraint?: string
  table?: string
}

export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && /^[0-9A-Z]{5}$/.test(String((error as DatabaseError).code))
}

/** By code, else by the class that its first two letters name. */
const codes: ReadonlyMap<string, ErrorCode> = new Map([
  ['25006', 'STORE_READ_ONLY'], // read_only_sql_transaction: a standby, or set so
  ['28', 'STORE_CREDENTIALS'],
  ['3D000', 'STORE_MISSING'], // the database
  ['3F000', 'STORE_MISSING'], // the schema
  ['42P01', 'STORE_MISSING'], // a table
  ['42501', 'STORE_RIGHTS'],
  ['53100', 'STORE_FULL'],
  ['XX001', 'STORE_CORRUPT'],
  ['XX002', 'STORE_CORRUPT'],
  ['22021', 'REQUEST_INVALID'], // a text with U+0000
  ['08', 'STORE_IO'],
  ['53', 'STORE_IO'],
  ['55P03', 'STORE_IO'], // lock_not_available
  ['57', 'STORE_IO'], // also a statement over its time limit
  ['58', 'STORE_IO'],
  ['40', 'STORE_IO'],
  ['25P03', 'STORE_IO'], // the transaction stood still for too long
])

/** The catalog's words for what PostgreSQL or the way to it reported; an error that is ours already stays as it is. */
export function failureOf(error: unknown): HoldfastError {
  if (isHoldfastError(error)) return error
  if (isDatabaseError(error)) return reported(error)
  if (isLost(error)) {
    const because = 'the connection to the database was lost'
    return new HoldfastError('STORE_IO', { because, code: systemCode(error) }, { retryAfterMs: 1_000, cause: error })
  }
  const name = error instanceof Error ? error.name : typeof error
  return new HoldfastError('INTERNAL', { name }, { cause: error })
}

function reported(error: DatabaseError): HoldfastError {
  const code = codes.get(error.code) ?? codes.get(error.code.slice(0, 2)) ?? 'INTERNAL'
  const facts = { because: becauseOf(error), postgres: error.code }
  if (code === 'STORE_IO') return new HoldfastError(code, facts, { retryAfterMs: 1_000, cause: error })
  return new HoldfastError(code, facts, { cause: error })
}

/** The server's own words may hold what people wrote (the value of a key that is there twice): those are left out. */
function becauseOf({ code, message, constraint }: DatabaseError): string {
  if (code.startsWith('23')) return `the rule ${constraint ?? code} of a table refused it`
  if (code.startsWith('22')) return 'a value is none that PostgreSQL keeps'
  return message
}

const systemCodes: ReadonlySet<string> = new Set([
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ENOENT',
  ],
])

const systemCode = (error: unknown): string | null => {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return typeof code === 'string' ? code : null
}

/** Words of the client library for a connection that is gone or does not answer. */
const lostWords =
  /Connection terminated|Client has encountered a connection error|timeout|not queryable|Connection ended/i

/** The connection is gone, or there never was one: nothing more can be asked on it. */
export function isLost(error: unknown): boolean {
  if (isDatabaseError(error))
    return error.code.startsWith('08') || /^57P0[1-4]$/.test(error.code) || error.code === '25P03'
  if (!(error instanceof Error) || isHoldfastError(error)) return false
  if (error instanceof AggregateError) return error.errors.some(isLost)
  return systemCodes.has(systemCode(error) ?? '') || lostWords.test(error.message)
}

/** Two transactions met: this one was taken back whole, and may be tried again at once. */
export function isCollision(error: unknown): boolean {
  return isDatabaseError(error) && (error.code === '40001' || error.code === '40P01' || error.code === '23505')
}

/** The name of a statement is not known, or stands for another: a pooler has given us the connection of somebody else. */
export function isNameless(error: unknown): boolean {
  return isDatabaseError(error) && (error.code === '26000' || error.code === '42P05')
}

/** After any error PostgreSQL takes no other statement before the transaction, or its savepoint, is taken back. */
export const failures: Failures = {
  failureOf,
  breaksTransaction: (error) => isLost(error) || (isDatabaseError(error) && failureOf(error).code !== 'INTERNAL'),
  endsTransaction: (error) => isDatabaseError(error) || isLost(error),
}

/** The same for a connection that is being made: nothing was asked yet, so nothing is unknown. */
export function unreachableOr(error: unknown): HoldfastError {
  if (isHoldfastError(error)) return error
  if (isTls(error)) {
    return new HoldfastError(
      'STORE_TLS',
      { because: (error as Error).message, code: systemCode(error) },
      { cause: error },
    )
  }
  const isThere = isDatabaseError(error) && !isLost(error) && !error.code.startsWith('53')
  if (isThere || !(isDatabaseError(error) || isLost(error) || isStrange(error))) return failureOf(error)
  return new HoldfastError('STORE_UNREACHABLE', { because: plainly(error), code: systemCode(error) }, { cause: error })
}

function isTls(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  const words = /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|ERR_OSSL)/
  return words.test(code) || /does not support SSL|no encryption|SSL off/i.test(message)
}

/** What answered is no PostgreSQL. */
const isStrange = (error: unknown): boolean =>
  error instanceof Error &&
  /unexpected|received invalid|unknown authenticat|There was an error establishing an SSL/i.test(error.message)

/** Of several addresses of one name that were tried, the first; the client's own words hold no password. */
function plainly(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  return first instanceof Error ? first.message : String(first)
}
