import { statSync } from 'node:fs'
import type { Connection } from '../file/connection.ts'
import { isSqliteError } from '../file/failures.ts'
import { log } from '../threads/calls.ts'

/** Pages in the log that are worth a checkpoint: 4 MB. Reads slow down with the log's length. */
const pendingPagesMax = 512

/** A log this long, 32 MB, is one that the keeper does not catch up with. */
const catchUpPages = 4_096

/** Ticks without a commit after which the store counts as idle: half a second. */
const idleTicks = 5

/** A log file longer than this is cut when the store is idle: 64 MB. Below that its room is reused. */
const logBytesMax = 64 * 1024 ** 2

/** Pages given back to the disk at one time; each step is a short write transaction. */
const vacuumPages = 128

const sql = {
  look: 'PRAGMA wal_checkpoint(NOOP)',
  passive: 'PRAGMA wal_checkpoint(PASSIVE)',
  truncate: 'PRAGMA wal_checkpoint(TRUNCATE)',
  free: 'PRAGMA freelist_count',
}

interface LogState {
  busy: number
  log: number
  checkpointed: number
}

/**
 * Brings the log into the database beside the writer: PASSIVE waits for nobody. A long reader only makes the log longer
 * until it ends.
 */
export class Checkpoints {
  readonly #db: Connection
  readonly #logPath: string
  readonly #log: Int32Array
  #seenCommits = 0
  #quietTicks = 0
  #settled = true

  constructor(db: Connection, path: string, shared: Int32Array) {
    this.#db = db
    this.#logPath = `${path}-wal`
    this.#log = shared
  }

  tick(): void {
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
    if (!idle) {
      if (pages >= catchUpPages) Atomics.store(this.#log, log.catchUp, 1)
      return
    }
    if (this.#logSize() > logBytesMax) this.#db.first(sql.truncate)
    const { freelist_count: free } = this.#db.first<{ freelist_count: number }>(sql.free) ?? { freelist_count: 0 }
    if (free >= vacuumPages) this.#db.script(`PRAGMA incremental_vacuum(${vacuumPages})`)
    this.#settled = free < vacuumPages
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
