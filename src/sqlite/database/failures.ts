import { type ErrorCode, HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Failures } from '../../relational/verbs/work.ts'

/** Primary result codes (https://sqlite.org/rescode.html); the extended ones carry them in their low byte. */
const busy = 5
const readOnly = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notADatabase = 26

/** SQLITE_READONLY_ROLLBACK: a journal of a broken-off write lies beside the file, and this connection may not apply it. */
const readOnlyRollback = 776

const codes: ReadonlyMap<number, ErrorCode> = new Map([
  [busy, 'STORE_IO'],
  [readOnly, 'STORE_PERMISSION'],
  [ioError, 'STORE_IO'],
  [corrupt, 'STORE_CORRUPT'],
  [full, 'STORE_FULL'],
  [cannotOpen, 'STORE_IO'],
  [notADatabase, 'STORE_CORRUPT'],
])

interface SqliteError extends Error {
  code: 'ERR_SQLITE_ERROR'
  errcode: number
  errstr: string
}

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && (error as SqliteError).code === 'ERR_SQLITE_ERROR'
}

export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === busy
}

export function isNotADatabase(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === notADatabase
}

export function needsRollback(error: unknown): boolean {
  return isSqliteError(error) && error.errcode === readOnlyRollback
}

/** The catalog's words for what SQLite reported; an error that is ours already stays as it is. */
export function failureOf(error: unknown): HoldfastError {
  if (isHoldfastError(error)) return error
  if (!isSqliteError(error)) {
    const name = error instanceof Error ? error.name : typeof error
    return new HoldfastError('INTERNAL', { name }, { cause: error })
  }
  const code = codes.get(error.errcode & 0xff) ?? 'INTERNAL'
  return new HoldfastError(code, { because: error.errstr, sqlite: error.errcode }, { cause: error })
}

/** The disk failed, so the whole transaction is void; a violated constraint is the verb's own. */
export function breaksTransaction(error: unknown): boolean {
  return isSqliteError(error) && failureOf(error).code !== 'INTERNAL'
}

/** After any error SQLite takes the next statement. */
export const failures: Failures = { failureOf, breaksTransaction, endsTransaction: () => false }
