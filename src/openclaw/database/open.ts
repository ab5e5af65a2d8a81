import { accessSync, type BigIntStats, constants, lstatSync } from 'node:fs'
import { DatabaseSync, constants as sqlite } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { failureOfReading, unreadable, unsafe } from '../files/failure.ts'
import { type Identity, identityOf, sameButRenamed, standingOf } from '../files/identity.ts'
import { holdsCommit } from './log.ts'

/**
 * A database that belongs to somebody else is opened so that no byte of it, of its log or of its directory changes, and so that what
 * is read is what a gateway would read. SQLite's plain read-only mode is not enough: it makes a log and the log's index (`-wal`,
 * `-shm`) where there are none. Which way fits, follows from what lies there:
 *
 * - `beside`: log and index are there, so a gateway may be at work, or was killed. The index is opened for reading only
 *   (`readonly_shm`); with nobody else there SQLite makes one in memory. Its locks hold: what is read is one moment's state.
 * - `settled`: the log is missing or holds no transaction, and has no index. The file alone is everything and is read as one that does
 *   not change (`immutable`), without locks; that it has not changed is looked at after each read.
 * - `log alone`: the log holds transactions and its index is missing, as in a copy that left it out. Read without locks, with an
 *   index in memory, and looked at after each read as well. Only with a transaction in the log: SQLite would delete an empty one at the end.
 *
 * No way can become the last one to leave a database, which brings the log in and deletes it: that takes an exclusive lock, and a
 * descriptor for reading cannot have one. Tried with traced system calls, beside gateways that run, left or were killed.
 */
export type Way = 'beside' | 'settled' | 'log alone'

interface Files {
  database: Identity
  log: Identity | null
  /** Of the log. */
  index: Identity | null
}

/** An open connection, and whether what it reads still is the database. */
export class Opened implements Disposable {
  readonly db: DatabaseSync
  readonly way: Way
  readonly #path: string
  readonly #files: Files

  constructor(path: string, db: DatabaseSync, way: Way, files: Files) {
    this.#path = path
    this.db = db
    this.way = way
    this.#files = files
  }

  /** False when what was read through it may be of several moments, or of a database that is gone. */
  stands(): boolean {
    const now = filesOf(this.#path)
    if (now === null) return false
    // SQLite gives a log that root opens to the database's owner, which is the owner already: that alone changes `ctime`
    const same = this.way === 'beside' ? sameFile : sameButRenamed
    const { database, log, index } = this.#files
    return same(database, now.database) && bothOr(log, now.log, same) && bothOr(index, now.index, sameFile)
  }

  [Symbol.dispose](): void {
    if (this.db.isOpen) this.db.close()
  }
}

const sameFile = (a: Identity, b: Identity) => a.dev === b.dev && a.ino === b.ino

function bothOr(before: Identity | null, now: Identity | null, same: (a: Identity, b: Identity) => boolean): boolean {
  return before === null || now === null ? before === now : same(before, now)
}

/** @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE; errors of SQLite as they are */
export function openDatabase(path: string): Opened {
  const files = filesOf(path)
  if (files === null) throw unreadable(path, 'it is not there')
  const way = wayFor(path, files)
  const url = pathToFileURL(path)
  url.search = searchOf[way]
  const options = { readOnly: true, timeout: 0, enableForeignKeyConstraints: false, allowExtension: false }
  const db = new DatabaseSync(url, options)
  try {
    guard(db)
    // before the first read: an index of the log is then not looked for on disk
    if (way === 'log alone') db.exec('PRAGMA locking_mode = EXCLUSIVE')
    db.exec(`PRAGMA query_only = 1; PRAGMA trusted_schema = 0; PRAGMA cache_size = -${cacheKilobytes}`)
    return new Opened(path, db, way, files)
  } catch (error) {
    db.close()
    throw error
  }
}

const cacheKilobytes = 8_192

const searchOf: Record<Way, string> = {
  beside: '?mode=ro&readonly_shm=1',
  settled: '?mode=ro&immutable=1',
  'log alone': `?mode=ro&vfs=${process.platform === 'win32' ? 'win32-none' : 'unix-none'}`,
}

function wayFor(path: string, { log, index }: Files): Way {
  if (log !== null && index !== null) return 'beside'
  if (log === null || log.bytes === 0n || !holdsCommit(`${path}-wal`)) return 'settled'
  return 'log alone'
}

/** null where there is no database. @throws HoldfastError HOME_UNSAFE, HOME_UNREADABLE */
function filesOf(path: string): Files | null {
  const database = fileAt(path)
  if (database === null) return null
  const journal = fileAt(`${path}-journal`)
  if (journal !== null && journal.size > 0n) {
    throw unreadable(path, 'a write was broken off and left a journal; the gateway takes it back at its next start')
  }
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    throw failureOfReading(error, path)
  }
  return {
    database: identityOf(database),
    log: identityOrNull(fileAt(`${path}-wal`)),
    index: identityOrNull(fileAt(`${path}-shm`)),
  }
}

const identityOrNull = (stat: BigIntStats | null) => (stat === null ? null : identityOf(stat))

function fileAt(path: string): BigIntStats | null {
  let stat: BigIntStats | undefined
  try {
    stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    throw failureOfReading(error, path)
  }
  if (stat === undefined) return null
  if (!stat.isFile()) throw unsafe(path, `it is a ${standingOf(stat)} and no file`)
  return stat
}

/** What is read beside rows: pragmas and functions; everything that changes something is refused, and so are credentials. */
const allowed: ReadonlySet<number> = new Set([
  sqlite.SQLITE_SELECT,
  sqlite.SQLITE_PRAGMA,
  sqlite.SQLITE_FUNCTION,
  sqlite.SQLITE_TRANSACTION,
  sqlite.SQLITE_RECURSIVE,
])

/** In an agent's database these are `auth_profile_store` and `auth_profile_state`. */
const credentials = /^auth_|token|secret|credential/i

/** SQLite itself refuses a statement that would read credentials, on releases of Node that can tell it to. */
function guard(db: DatabaseSync): void {
  if (typeof db.setAuthorizer !== 'function') return
  db.setAuthorizer((action, table) => {
    if (action === sqlite.SQLITE_READ) return credentials.test(table ?? '') ? sqlite.SQLITE_DENY : sqlite.SQLITE_OK
    return allowed.has(action) ? sqlite.SQLITE_OK : sqlite.SQLITE_DENY
  })
}
