import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Holder } from '../../model/holders.ts'
import { quoted } from '../database/connection.ts'
import { renewEveryMs } from '../database/lease.ts'

/**
 * Says every few seconds that this gateway lives, in the words of the database's own clock, and only while its main thread has made
 * progress since the last time. One row for each gateway, however many sessions it runs.
 */
export class Renewal {
  readonly #pool: pg.Pool
  readonly #renewSql: string
  readonly #holder: Holder
  readonly #beats: Int32Array
  readonly #over = new AbortController()
  #seen = -1
  #running: Promise<void> = Promise.resolve()

  constructor(pool: pg.Pool, schema: string, holder: Holder, beats: SharedArrayBuffer) {
    this.#pool = pool
    this.#renewSql = `UPDATE ${quoted(schema)}.holder SET renewed_at = clock_timestamp() WHERE id = $1`
    this.#holder = holder
    this.#beats = new Int32Array(beats)
  }

  begin(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      await this.#renew()
      await sleep(renewEveryMs, undefined, { signal }).catch(() => {}) // stopped
    }
  }

  /** What fails is tried with the next one: until then the lease lasts. */
  async #renew(): Promise<void> {
    const beat = Atomics.load(this.#beats, 0)
    if (beat === this.#seen) return
    try {
      await this.#pool.query(this.#renewSql, [this.#holder.id])
      this.#seen = beat
    } catch {
      // unreachable: every verb says so
    }
  }
}
