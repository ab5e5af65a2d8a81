import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { systemClock } from '../../host/clock.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { turnSql } from '../../relational/statements/turns.ts'
import { type Answer, type Call, closing, type Report } from '../../relational/threads/calls.ts'
import { type WriteVerb, writeVerbs } from '../../relational/write-verbs.ts'
import { busyLimitMs, busyWaitMaxMs } from '../database/busy.ts'
import { type Connection, openForWriting } from '../database/connection.ts'
import { failureOf, failures } from '../database/failures.ts'
import { CatchUp, owedBytes } from '../keep/checkpoint.ts'
import { type BatchResult, runBatch, type SqliteWork } from './batch.ts'
import { log, type ThreadData } from './calls.ts'
import { Room } from './room.ts'

/** Verbs of one commit: bounds how long the first of them waits for the last. */
const batchMax = 512

/** Owns the only connection that writes. Everything that waits is done in one transaction and answered after its commit. */
export class Writer {
  readonly #port: MessagePort
  readonly #data: ThreadData
  readonly #room: Room
  readonly #log: Int32Array
  readonly #catchUp: CatchUp
  readonly #waiting: Call[] = []
  readonly #atEnd: () => void
  #db: Connection
  #work: SqliteWork
  #serving = false
  #closing = false

  /** `atEnd` runs when the database is closed. */
  constructor(port: MessagePort, data: ThreadData, atEnd: () => void) {
    this.#atEnd = atEnd
    this.#port = port
    this.#data = data
    this.#log = new Int32Array(data.log)
    this.#catchUp = new CatchUp(data.path, this.#log)
    this.#room = new Room({
      directory: dirname(data.path),
      reserveBytes: data.diskReserveBytes,
      owedBytes: () => owedBytes(this.#db, data.path),
      makeRoom: () => this.#catchUp.giveBack(this.#db),
      tell: (writable, because) => {
        Atomics.store(this.#log, log.short, Number(because?.code === 'STORE_FULL'))
        this.#report({ kind: 'writable', writable, because })
      },
    })
    Atomics.store(this.#log, log.short, 0) // a writer before this one may have ended on a full disk
    this.#db = openForWriting(data.path, data.durability)
    this.#work = this.#workOn(this.#db)
  }

  receive(message: Call[] | typeof closing): void {
    this.#take(message)
    if (!this.#serving) void this.#serve()
  }

  async #serve(): Promise<void> {
    this.#serving = true
    for (;;) {
      this.#drain()
      if (this.#waiting.length === 0) break
      await this.#commit(this.#waiting.splice(0, batchMax))
      this.#catchUp.whenAsked(this.#db)
    }
    this.#serving = false
    if (this.#closing) this.#end()
  }

  #end(): void {
    this.#db.close()
    this.#atEnd()
    this.#port.close()
  }

  #take(message: Call[] | typeof closing): void {
    if (message === closing) this.#closing = true
    else this.#waiting.push(...message)
  }

  #drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) return
      this.#take(received.message as Call[] | typeof closing)
    }
  }

  async #commit(calls: Call[]): Promise<void> {
    this.#room.check(systemClock.steadyMs())
    const result = await this.#tryTwice(calls)
    if (result.kind === 'committed') return this.#answer(result.answers)
    const error = result.kind === 'busy' ? lockedByOthers() : result.error
    const maybeOne = error.code === 'STORE_FULL' || error.code === 'STORE_CORRUPT'
    if (maybeOne && calls.length > 1) {
      // one verb of many may be too large, or meet the damaged page: each on its own, the others can go on
      for (const call of calls) await this.#commit([call])
      return
    }
    this.#answer(calls.map(({ id }) => ({ id, ok: false, error: recordOf(error) })))
  }

  /**
   * A full disk may have room once the log is cut. After STORE_IO the outcome is unknown: a fresh connection, and the verbs
   * again, which find what they wrote.
   */
  async #tryTwice(calls: Call[]): Promise<BatchResult> {
    const first = await this.#run(calls)
    if (first.kind !== 'failed') return first
    if (first.error.code === 'STORE_FULL') return this.#tryWithRoom(calls)
    this.#room.lose(first.error)
    const reopened = this.#reopen()
    if (reopened !== null) return { kind: 'failed', error: reopened }
    this.#work.again = true
    const second = await this.#run(calls)
    this.#work.again = false
    if (second.kind === 'failed') this.#reopen()
    return second
  }

  async #tryWithRoom(calls: Call[]): Promise<BatchResult> {
    this.#catchUp.giveBack(this.#db)
    const result = await this.#run(calls)
    if (result.kind === 'failed') this.#room.lose(result.error)
    return result
  }

  async #run(calls: Call[]): Promise<BatchResult> {
    const startedMs = systemClock.steadyMs()
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, busyWaitMaxMs)) {
      const beganMs = systemClock.steadyMs()
      const result = runBatch(this.#work, calls, verbOf)
      if (result.kind === 'committed' && result.changed) this.#committed(systemClock.steadyMs() - beganMs, calls.length)
      if (result.kind !== 'busy' || beganMs - startedMs > busyLimitMs) return result
      await sleep(waitMs)
    }
  }

  #committed(ms: number, verbs: number): void {
    Atomics.add(this.#log, log.commits, 1)
    this.#report({ kind: 'committed', ms, verbs })
    this.#room.regain()
  }

  /** Gives the reason when it cannot be opened. */
  #reopen(): HoldfastError | null {
    try {
      this.#db.close()
      this.#db = openForWriting(this.#data.path, this.#data.durability)
      this.#work = this.#workOn(this.#db)
      return null
    } catch (error) {
      return failureOf(error)
    }
  }

  #workOn(db: Connection): SqliteWork {
    const { count } = db.first<{ count: number }>(turnSql.countQueued) as { count: number }
    return {
      db,
      queue: { total: count },
      returning: new Set(),
      again: false,
      failures,
      requireRoom: () => this.#room.require(),
      lookForRoom: () => this.#room.lookAgain(),
    }
  }

  #answer(answers: Answer[]): void {
    this.#report({ kind: 'answers', answers })
  }

  #report(report: Report): void {
    this.#port.postMessage(report)
  }
}

function verbOf(name: string): WriteVerb {
  return writeVerbs[name as keyof typeof writeVerbs] as WriteVerb
}

function lockedByOthers(): HoldfastError {
  return new HoldfastError(
    'STORE_IO',
    { because: 'another program keeps the database locked' },
    { retryAfterMs: 1_000 },
  )
}
