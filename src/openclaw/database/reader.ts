import type { DatabaseSync } from 'node:sqlite'
import { type ErrorRecord, HoldfastError, isHoldfastError } from '../../model/errors.ts'
import {
  checkTable,
  countCronRuns,
  measurePart,
  readTables,
  readTotals,
  weighEntries,
  weighRows,
} from './facts/slices.ts'
import { type Opened, openDatabase } from './open.ts'
import { readPacked } from './packed.ts'
import { readRows } from './rows.ts'
import { type Place, type Schema, schemaOf } from './schema.ts'
import { readArchives, readSessions, readWindows } from './sessions.ts'

/** What can be asked of an agent's database. Each is one statement or a few, and ends soon. */
const reads = {
  readSessions,
  readWindows,
  readArchives,
  readPacked,
  readRows,
  readTotals,
  weighRows,
  weighEntries,
  countCronRuns,
  readTables,
  measurePart,
  checkTable,
  readSchema: (_: DatabaseSync, schema: Schema) => schema,
}
export type Reads = typeof reads
/** One question on its way to the thread that reads, and back; null instead of it: finish and end. */
export interface Call {
  id: number
  place: Place
  read: keyof Reads
  input: unknown
}
export type Answer = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: ErrorRecord }

type Read = (db: DatabaseSync, schema: Schema, input: unknown) => unknown

/** A database that changes this often in a row, while it is read without locks, has a gateway at work that has just begun. */
const triesMax = 6
const pauseMs = 50

/**
 * Between two questions a connection that others can notice is closed after this long: while one is open, a gateway that
 * leaves cannot bring its log in. Where opening takes long (the log must be read first), it is kept for some of that time. Unit: ms.
 */
const heldMs = { min: 100, perOpening: 20 }

interface Held {
  opened: Opened
  schema: Schema
  untilMs: number
}

/** Reads databases of agents, one at a time; in a thread of its own, since SQLite makes its thread wait. */
export class Reader implements Disposable {
  #place: Place | null = null
  #held: Held | null = null
  #idle: NodeJS.Timeout | null = null

  /** @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE, HOME_GENERATION, HOME_BUSY */
  ask(place: Place, name: keyof Reads, input: unknown): unknown {
    if (place.path !== this.#place?.path || place.agentId !== this.#place.agentId) this.close()
    this.#place = place
    try {
      return this.#patiently(place, reads[name] as Read, input)
    } finally {
      this.#rest()
    }
  }

  close(): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#idle = null
    this.#held?.opened[Symbol.dispose]()
    this.#held = null
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #patiently(place: Place, read: Read, input: unknown): unknown {
    let failure: unknown
    for (let tries = 0; tries < triesMax; tries += 1) {
      if (tries > 0) Atomics.wait(never, 0, 0, pauseMs * tries)
      try {
        const { opened, schema } = this.#open(place)
        const value = read(opened.db, schema, input)
        if (opened.stands()) return value
        failure = null
      } catch (error) {
        failure = error
        if (!this.#passes(error)) throw failureOf(error, place.path)
      }
      this.close()
    }
    if (failure !== null) throw failureOf(failure, place.path)
    throw new HoldfastError('HOME_BUSY', { because: `${place.path} changes while it is read` })
  }

  /** What was read may have been of several moments, or somebody begins or leaves: then it is read again. */
  #passes(error: unknown): boolean {
    if (this.#held !== null && !this.#held.opened.stands()) return true
    return isSqliteError(error) && passing.has(error.errcode & 0xff)
  }

  #open(place: Place): Held {
    if (this.#held !== null) return this.#held
    const fromMs = performance.now()
    const opened = openDatabase(place.path)
    try {
      const schema = schemaOf(opened.db, place)
      const tookMs = performance.now() - fromMs
      this.#held = { opened, schema, untilMs: fromMs + Math.max(heldMs.min, heldMs.perOpening * tookMs) }
      return this.#held
    } catch (error) {
      opened[Symbol.dispose]()
      throw error
    }
  }

  #rest(): void {
    if (this.#held?.opened.way !== 'beside') return
    if (performance.now() > this.#held.untilMs) this.close()
    else this.#idle ??= setTimeout(() => this.close(), heldMs.min).unref()
  }
}

const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/** SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY (a log that is being begun), SQLITE_CANTOPEN (one that has just gone). */
const passing: ReadonlySet<number> = new Set([5, 6, 8, 14])
const corrupt: ReadonlySet<number> = new Set([11, 26])

function isSqliteError(error: unknown): error is Error & { errcode: number; errstr: string } {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_SQLITE_ERROR'
}

function failureOf(error: unknown, path: string): unknown {
  if (isHoldfastError(error) || !isSqliteError(error)) return error
  const code = error.errcode & 0xff
  if (code === 5 || code === 6) return new HoldfastError('HOME_BUSY', { because: `${path}: ${error.errstr}` })
  const said = corrupt.has(code) ? `it is damaged (${error.errstr})` : error.errstr
  const facts = { because: `${path}: ${said}`, damaged: corrupt.has(code) }
  return new HoldfastError('HOME_UNREADABLE', facts, { cause: error })
}
