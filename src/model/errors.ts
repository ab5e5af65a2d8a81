import { homeErrors } from './errors/homes.ts'

/**
 * One error class and a closed catalog. Branch on `code`. `facts` are safe to log: sizes, ids, paths, limits;
 * never what people wrote. One of them, `providerMessage`, may quote it: senders are told, logs leave it out. A storage error is never dressed as a model error, and the other way round.
 */
export const errorCatalog = {
  // what a caller sent
  REQUEST_INVALID: { title: 'The request is not valid', fix: 'Correct the field that `because` names.' },
  REQUEST_TOO_LARGE: { title: 'The request body is over the limit', fix: 'Send less, or raise `server.bodyMax`.' },
  CONTEXT_TOO_LARGE: {
    title: 'The new messages do not fit the model, even with all history left out',
    fix: 'Send less in one message, or use a model with a larger context window.',
  },
  SESSION_KEY_INVALID: {
    title: 'The session key is not valid',
    fix: 'Use letters, digits and . _ : @ + ~ = - only, at most 255 characters, without "..".',
  },
  SESSION_NOT_FOUND: { title: 'There is no such session', fix: 'List the sessions with `holdfast sessions list`.' },
  SESSION_BUSY: {
    title: 'The session is running or has waiting turns',
    fix: 'Retry after `retryAfterMs`, or use the queue policy.',
  },
  QUEUE_FULL: { title: 'Too many turns wait already', fix: 'Retry after `retryAfterMs`.' },
  TURN_NOT_FOUND: { title: 'There is no such turn', fix: 'List the turns with `holdfast turns list`.' },
  TURN_SETTLED: { title: 'The turn has ended already', fix: 'Nothing is left to do; read its outcome.' },
  IDEMPOTENCY_MISMATCH: {
    title: 'This idempotency key was used for a different request',
    fix: 'Use a new key for a new request.',
  },
  CURSOR_INVALID: { title: 'The page cursor is not valid', fix: 'Start again without `after`.' },
  MODEL_UNKNOWN: { title: 'This gateway does not serve that model', fix: 'See GET /v1/models.' },
  AUTH_REQUIRED: { title: 'A valid bearer token is required', fix: 'Send `Authorization: Bearer <token>`.' },
  HOST_REFUSED: {
    title: 'The Host or Origin header is not one of this gateway',
    fix: 'Use the address that it listens on, or add the name to `server.allowedHosts`.',
  },
  NOT_FOUND: { title: 'There is nothing at this address', fix: 'See GET /openapi.json.' },
  CONFIG_INVALID: { title: 'The configuration is not valid', fix: 'See `holdfast config schema`.' },
  USAGE: { title: 'The command line is not valid', fix: 'See `holdfast --help`.' },

  // scheduled jobs
  JOB_NOT_FOUND: { title: 'There is no such job', fix: 'List them with `holdfast cron list`.' },
  JOB_INVALID: { title: 'The job is not valid', fix: 'Correct what `because` names; see `holdfast cron add --help`.' },
  JOB_LIMIT: { title: 'There are too many jobs already', fix: 'Remove some, or raise `cron.jobs`.' },
  JOB_RUNNING: {
    title: 'A run of this job is still going',
    fix: 'Wait for it, or cancel it with `holdfast turns cancel`; a job never runs twice at once.',
  },

  // retention, archives and the trash
  ARCHIVE_NOT_FOUND: {
    title: 'There is no such archive',
    fix: 'List them with `holdfast retain --list` and `holdfast trash list`, those of homes with `holdfast archive list`.',
  },
  ARCHIVE_DAMAGED: {
    title: 'The archive is not what its manifest says',
    fix: 'Nothing was changed. Restore the file from a backup; `zstd -d` reads what is left of it.',
  },
  ARCHIVE_CONFLICT: {
    title: 'What is to be restored is there already',
    fix: 'Nothing was changed. Look at the session first.',
  },
  RETENTION_BUSY: { title: 'A sweep is going on or has just ended', fix: 'Retry after `retryAfterMs`.' },
  CLOCK_SUSPECT: {
    title: 'The clock has jumped, so nothing is taken out',
    fix: 'Check the clock. If it is right, sweep once with `--trust-clock`.',
  },

  ...homeErrors,

  // writers and their fences
  FENCED: {
    title: 'The session was taken by a newer writer',
    fix: 'Stop: the turn goes on elsewhere or has ended. Nothing was written.',
  },
  HEAD_MOVED: { title: 'The transcript has grown since it was read', fix: 'Read the head again and retry.' },

  // summaries
  SUMMARY_NOT_FOUND: { title: 'There is no such summary', fix: 'List them with `holdfast summaries list KEY`.' },
  SUMMARY_STALE: { title: 'The session was summarised or reset meanwhile', fix: 'Nothing: the newer state stands.' },
  SUMMARY_REFUSED: {
    title: 'The summary would not make the context shorter',
    fix: 'Check the summariser: it must answer with fewer tokens than it was given.',
  },
  SUMMARY_NOTHING_TO_DO: { title: 'There is nothing to summarise yet', fix: 'Wait until the session has grown.' },
  SUMMARY_TIMEOUT: {
    title: 'The summariser did not answer in time',
    fix: 'Turns are not affected. Check the summariser.',
  },
  SUMMARY_FAILED: { title: 'The summariser failed', fix: 'Turns are not affected. Check the summariser.' },

  // the store
  STORE_FULL: {
    title: 'The disk is full or below its reserve: the store is read-only',
    fix: 'Make room on the disk. Holdfast returns by itself; nothing acknowledged was lost.',
  },
  STORE_IO: {
    title: 'The disk, or the way to the database, reported an error',
    fix: 'Check the disk, or the database server, and the system log; writes are retried.',
  },
  STORE_CORRUPT: {
    title: 'The database is damaged',
    fix: 'Stop, keep a copy of the directory, restore the newest backup that `holdfast verify --data` accepts.',
  },
  STORE_NEWER: { title: 'The data was written by a newer Holdfast', fix: 'Install that version or a newer one.' },
  STORE_FOREIGN: {
    title: 'The directory, or the schema, holds something else and no Holdfast store',
    fix: 'Choose an empty or new directory with `--data DIR`, or a schema of its own with `?schema=NAME`.',
  },
  STORE_PERMISSION: {
    title: 'The data directory cannot be read and written',
    fix: 'Run as its owner, or correct the owner and mode of the directory.',
  },
  STORE_FILESYSTEM: {
    title: 'The data directory is on a file system that cannot be trusted with locks',
    fix: 'Use a local disk, or PostgreSQL for several machines.',
  },
  STORE_IN_USE: {
    title: 'Another Holdfast process has this data directory open',
    fix: 'Use that process, or stop it first.',
  },
  STORE_CLOSED: { title: 'The store is closed', fix: 'Open it again.' },
  STORE_READ_ONLY: { title: 'The store is open for reading only', fix: 'Use the running gateway for changes.' },
  STORE_SQLITE_TOO_OLD: {
    title: 'This SQLite has a known corruption bug',
    fix: 'Use a Node release with SQLite 3.51.3 or newer (Node 24.21 has it).',
  },
  STORE_MISSING: {
    title: 'There is no Holdfast store here',
    fix: 'Start one with `holdfast serve --data DIR`, or make the tables with `holdfast migrate --store URL`.',
  },
  STORE_OLDER: {
    title: 'The tables are of an older version',
    fix: 'Run `holdfast migrate --store URL` with a role that may change tables.',
  },
  STORE_URL_INVALID: {
    title: 'The address of the database is not usable',
    fix: 'Give `postgres://USER@HOST:PORT/DATABASE`, with parameters that docs/postgres.md lists.',
  },
  STORE_UNREACHABLE: {
    title: 'The database server does not answer',
    fix: 'Check the host and port of its address, and that it runs and takes connections from here.',
  },
  STORE_CREDENTIALS: {
    title: 'The database server does not know the user or the password',
    fix: 'Correct the user in the address, or the password (PGPASSWORD, PGPASSFILE).',
  },
  STORE_TLS: {
    title: 'The connection to the database cannot be made secure',
    fix: 'Give the certificate of its authority with `sslrootcert`, or see docs/postgres.md for other modes.',
  },
  STORE_RIGHTS: {
    title: 'The role may not do this in the database',
    fix: 'Grant it what `holdfast migrate --sql --role NAME` prints, or use the role that owns the tables.',
  },
  BACKUP_ELSEWHERE: {
    title: 'A store in PostgreSQL is backed up by its server',
    fix: 'Use pg_dump, pg_basebackup or the backups of your provider.',
  },
  BACKUP_FAILED: { title: 'The backup could not be made or verified', fix: 'Choose a new directory with enough room.' },

  // the model
  MODEL_RATE_LIMITED: { title: 'The model provider limits the rate', fix: 'Retry later or raise the limit there.' },
  MODEL_UNAVAILABLE: { title: 'The model cannot be reached or reports a failure', fix: 'Check `model.url`.' },
  MODEL_TIMEOUT: { title: 'The model did not answer in time', fix: 'Raise `turns.timeLimit`, or check the model.' },
  MODEL_MALFORMED: {
    title: 'The model answered with something unreadable',
    fix: 'Check that it is OpenAI-compatible.',
  },
  MODEL_REJECTED: { title: 'The model refused the request', fix: 'See `facts.providerMessage`.' },
  MODEL_AUTH: { title: 'The model refused the credentials', fix: 'Check the variable that `model.apiKeyEnv` names.' },
  MODEL_EMPTY: { title: 'The model answered with nothing', fix: 'Retry, or check the model.' },

  // how a turn can end
  TURN_TIME_LIMIT: { title: 'The turn ran into its time limit', fix: 'Raise `turns.timeLimit` if it was healthy.' },
  TURN_STALLED: { title: 'The turn made no progress', fix: 'Raise `turns.stallLimit` if it was healthy.' },
  TURN_CANCELLED: { title: 'The turn was cancelled', fix: 'Send the message again if it is still wanted.' },
  TURN_INTERRUPTED: { title: 'The gateway ended while the turn ran', fix: 'Nothing: it is run again once.' },
  TURN_QUARANTINED: {
    title: 'The turn was interrupted too often and is not run again',
    fix: 'Send the message again, or look at the log for why the process ended.',
  },
  TURN_NOT_QUARANTINED: {
    title: 'The turn is not in quarantine',
    fix: 'List those that are with `holdfast quarantine list`.',
  },
  TURN_STALE: {
    title: 'The turn was interrupted and is too old to be run again',
    fix: 'Send the message again if it is still wanted, or raise `recovery.ageMax`.',
  },
  TURN_NOT_RESUMED: {
    title: 'The turn was interrupted and is not run again',
    fix: 'Send the message again if it is still wanted. `because` says why it was left out.',
  },
  TURN_RELEASED: {
    title: 'The session was taken from the turn by an operator',
    fix: 'Send the message again if it is still wanted.',
  },
  RUNNER_FAILED: { title: 'The runner threw an error', fix: 'See the log at the time of the turn.' },

  // the gateway
  GATEWAY_CLOSING: { title: 'The gateway is shutting down', fix: 'Retry after it has started again.' },
  GATEWAY_UNREACHABLE: { title: 'No gateway answers', fix: 'Start one with `holdfast serve`.' },
  GATEWAY_SILENT: {
    title: 'The gateway that has the store does not answer',
    fix: 'Look at its log. If it stays silent, end its process and start it again: nothing acknowledged is lost.',
  },
  ADDRESS_IN_USE: {
    title: 'Another program listens on this address',
    fix: 'Choose another port with `--port`, or stop that program.',
  },
  ADDRESS_UNUSABLE: { title: 'This address cannot be listened on', fix: 'Choose others with `--host` and `--port`.' },
  FILE_EXISTS: { title: 'The file exists already', fix: 'Choose another name, or move the file away.' },
  INTERNAL: { title: 'Something unexpected happened', fix: 'Please report it with the log line of this time.' },
} as const satisfies Record<string, { title: string; fix: string }>

export type ErrorCode = keyof typeof errorCatalog

/** What may stand in `facts`: never what people wrote. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | null>>

export class HoldfastError extends Error {
  readonly code: ErrorCode
  readonly facts: ErrorFacts
  /** When a retry makes sense, in milliseconds from now; null when it does not. */
  readonly retryAfterMs: number | null

  constructor(code: ErrorCode, facts: ErrorFacts = {}, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    const because = typeof facts.because === 'string' ? `: ${facts.because}` : ''
    super(`${errorCatalog[code].title}${because}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HoldfastError'
    this.code = code
    this.facts = facts
    this.retryAfterMs = options.retryAfterMs ?? null
  }

  get fix(): string {
    return errorCatalog[this.code].fix
  }
}

/** An error as data: crosses threads, sockets and the `outcome` column. */
export interface ErrorRecord {
  code: ErrorCode
  message: string
  facts: ErrorFacts
  retryAfterMs: number | null
}

export function recordOf(error: unknown): ErrorRecord {
  if (isHoldfastError(error)) {
    return { code: error.code, message: error.message, facts: error.facts, retryAfterMs: error.retryAfterMs }
  }
  const name = error instanceof Error ? error.name : typeof error
  return { code: 'INTERNAL', message: errorCatalog.INTERNAL.title, facts: { name }, retryAfterMs: null }
}

export function errorOf(record: ErrorRecord): HoldfastError {
  return new HoldfastError(
    record.code,
    record.facts,
    record.retryAfterMs === null ? {} : { retryAfterMs: record.retryAfterMs },
  )
}

export function isHoldfastError(error: unknown, code?: ErrorCode): error is HoldfastError {
  const looksRight = error instanceof Error && error.name === 'HoldfastError'
  return looksRight && (code === undefined || (error as HoldfastError).code === code)
}
