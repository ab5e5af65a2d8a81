import { statSync } from 'node:fs'
import type { Connection } from '../database/connection.ts'
import { isSqliteError } from '../database/failures.ts'
import { log } from '../threads/calls.ts'
import { freePagesOf, vacuumPages, vacuumStep } from './vacuum.ts'

/** Pages in the log that are worth a checkpoint: 4 MB. Reads slow down with the log's length. */
const pendingPagesMax = 512

/** A log this long, 32 MB, is one that the keeper does not catch up with. */
const catchUpPages = 4_096

/** Ticks without a commit after which the store counts as idle: half a second. */
const idleTicks = 5

/** A log file longer than this is cut when there is a chance: 64 MB. Below that its room is reused. */
const logBytesMax = 64 * 1024 ** 2

/** While the store is busy free pages are soon used again; above this, 16 MB, some go back to the disk each second. */
const freePagesBusy = 2_048
const busyVacuumTicks = 10
const busyVacuumPages = 32

/** The writer is asked again after so many ticks where a reader kept the log: one second. */
const askAgainTicks = 10

const sql = {
  look: 'PRAGMA wal_checkpoint(NOOP)',
  passive: 'PRAGMA wal_checkpoint(PASSIVE)',
  restart: 'PRAGMA wal_checkpoint(RESTART)',
  truncate: 'PRAGMA wal_checkpoint(TRUNCATE)',
}

interface LogState {
  busy: number
  log: number
  checkpointed: number
}

/**
 * Brings the log into the database beside the writer: PASSIVE waits for nobody. A log that was brought in wholly begins anew
 * with the next commit, unless somebody reads from it at that moment. Where that never happens by itself, under steady writes
 * or with readers that overlap, the writer is asked to pause for a few milliseconds (`catchUp`). A long reader makes the
 * log longer until it ends; then it is cut back to nothing, also while the store is never idle.
 */
export class Checkpoints {
  readonly #db: Connection
  readonly #logPath: string
  readonly #log: Int32Array
  #seenCommits = 0
  #quietTicks = 0
  #ticks = 0
  #askedAtTick = Number.NEGATIVE_INFINITY
  #settled = true

  constructor(db: Connection, path: string, shared: Int32Array) {
    this.#db = db
    this.#logPath = `${path}-wal`
    this.#log = shared
  }

  tick(): void {
    this.#ticks += 1
    const commits = Atomics.load(this.#log, log.commits)
    this.#quietTicks = commits === this.#seenCommits ? this.#quietTicks + 1 : 0
    if (commits !== this.#seenCommits) this.#settled = false
    this.#seenCommits = commits
    if (this.#settled && !this.#short()) return
    try {
      this.#keep()
    } catch (error) {
      // another connection was faster, or the disk fails: the writer meets that by itself and says so
      if (!isSqliteError(error)) throw error
    }
  }

  #keep(): void {
    const { log: pages, checkpointed } = this.#db.first<LogState>(sql.look) as LogState
    const idle = this.#quietTicks >= idleTicks
    if (pages - checkpointed >= pendingPagesMax || (idle && pages > checkpointed)) this.#db.first(sql.passive)
    if (this.#short()) {
      this.#giveBack()
      return
    }
    const long = pages >= catchUpPages || this.#logSize() > logBytesMax
    if (!long) Atomics.store(this.#log, log.pinned, 0)
    if (!idle) {
      if (long) this.#ask()
      if (this.#ticks % busyVacuumTicks === 0 && freePagesOf(this.#db) > freePagesBusy) {
        vacuumStep(this.#db, busyVacuumPages)
      }
      return
    }
    const cut = this.#logSize() <= logBytesMax || this.#truncate()
    const free = freePagesOf(this.#db)
    if (free >= vacuumPages) vacuumStep(this.#db, vacuumPages)
    this.#settled = free < vacuumPages && cut && this.#broughtIn()
  }

  /** A writer that found a reader in the way is asked less often: its pause costs every session that waits. */
  #ask(): void {
    const pinned = Atomics.load(this.#log, log.pinned) === 1
    if (pinned && this.#ticks - this.#askedAtTick < askAgainTicks) return
    this.#askedAtTick = this.#ticks
    Atomics.store(this.#log, log.catchUp, 1)
  }

  #truncate(): boolean {
    const { busy } = this.#db.first<LogState>(sql.truncate) as LogState
    Atomics.store(this.#log, log.pinned, busy)
    return busy === 0
  }

  #broughtIn(): boolean {
    const { log: pages, checkpointed } = this.#db.first<LogState>(sql.look) as LogState
    return pages <= checkpointed
  }

  #short(): boolean {
    return Atomics.load(this.#log, log.short) === 1
  }

  /** The log keeps the room it once had; on a full disk that room is what lets acknowledged work end. */
  #giveBack(): void {
    if (this.#logSize() === 0) return
    this.#db.first(sql.passive)
    this.#db.first(sql.truncate)
  }

  #logSize(): number {
    return statSync(this.#logPath).size
  }
}

/** Bytes that the database in `path` is yet to grow by, when its log is brought in; 0 where that cannot be told. */
export function owedBytes(db: Connection, path: string): number {
  if (!db.database.isOpen) return 0
  try {
    const { page_count: pages } = db.first<{ page_count: number }>('PRAGMA page_count') as { page_count: number }
    const { page_size: pageBytes } = db.first<{ page_size: number }>('PRAGMA page_size') as { page_size: number }
    return Math.max(pages * pageBytes - statSync(path).size, 0)
  } catch (error) {
    if (!isSqliteError(error)) throw error // the disk fails: the next commit meets that and says so
    return 0
  }
}

/** How long the writer waits for readers that are about to leave, longer each time that they did not. Unit: ms. */
const waitForReadersMs = { first: 5, max: 40 }

/**
 * By the writer, between two commits: what the keeper has left of the log is brought in, and the log begins anew when the
 * readers leave in time. Those that come meanwhile find everything in the database and do not need it. Otherwise it is
 * pinned, and the keeper asks again after a second.
 */
export class CatchUp {
  readonly #logPath: string
  readonly #log: Int32Array
  #waitMs = waitForReadersMs.first

  constructor(path: string, shared: Int32Array) {
    this.#logPath = `${path}-wal`
    this.#log = shared
  }

  whenAsked(db: Connection): void {
    if (Atomics.exchange(this.#log, log.catchUp, 0) === 0) return
    this.#bringIn(db, () => (statSync(this.#logPath).size > logBytesMax ? sql.truncate : sql.restart))
  }

  /** Where the disk runs full: the room that the log holds is given back now, and not with the keeper's next look. */
  giveBack(db: Connection): void {
    this.#bringIn(db, () => sql.truncate)
  }

  #bringIn(db: Connection, modeNow: () => string): void {
    try {
      db.first(sql.passive) // without waiting first: it may be much, when the keeper is far behind
      db.script(`PRAGMA busy_timeout = ${this.#waitMs}`)
      const { busy } = db.first<LogState>(modeNow()) as LogState
      Atomics.store(this.#log, log.pinned, busy)
      this.#waitMs = busy === 0 ? waitForReadersMs.first : Math.min(this.#waitMs * 2, waitForReadersMs.max)
    } catch (error) {
      if (!isSqliteError(error)) throw error // the keeper is at it, or the disk fails: the next commit meets that
    } finally {
      db.script('PRAGMA busy_timeout = 0')
    }
  }
}
