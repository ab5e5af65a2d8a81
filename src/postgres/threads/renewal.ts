import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { systemClock } from '../../host/clock.ts'
import type { Holder } from '../../model/holders.ts'
import { quoted } from '../database/connection.ts'
import { renewEveryMs } from '../database/lease.ts'

/** Two machines that are kept in time differ by less. Unit: ms. */
const doubtMs = 100

export const clockSql = 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms'

/**
 * Says every few seconds that this gateway lives, in the words of the database's own clock, and only while its main thread has made
 * progress since the last time. One row for each gateway, however many sessions it runs.
 */
export class Renewal {
  readonly #pool: pg.Pool
  readonly #renewSql: string
  readonly #holder: Holder
  readonly #beats: Int32Array
  readonly #onClock: (aheadMs: number) => void
  readonly #over = new AbortController()
  #seen = -1
  #aheadMs = 0
  #running: Promise<void> = Promise.resolve()

  constructor(
    pool: pg.Pool,
    schema: string,
    holder: Holder,
    beats: SharedArrayBuffer,
    onClock: (aheadMs: number) => void,
  ) {
    this.#onClock = onClock
    this.#pool = pool
    this.#renewSql = `
      UPDATE ${quoted(schema)}.holder SET renewed_at = clock_timestamp() WHERE id = $1
      RETURNING ${clockSql}`
    this.#holder = holder
    this.#beats = new Int32Array(beats)
  }

  /** The clocks are compared when it resolves. */
  async begin(): Promise<void> {
    await this.#renew()
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    for (;;) {
      await sleep(renewEveryMs, undefined, { signal }).catch(() => {}) // stopped
      if (signal.aborted) return
      await this.#renew()
    }
  }

  /** What fails is tried with the next one: until then the lease lasts. */
  async #renew(): Promise<void> {
    const beat = Atomics.load(this.#beats, 0)
    if (beat === this.#seen) return
    try {
      const askedMs = systemClock.nowMs()
      const { rows } = await this.#pool.query<{ now_ms: number }>(this.#renewSql, [this.#holder.id])
      this.#seen = beat
      this.#compare(rows[0]?.now_ms ?? askedMs, askedMs, systemClock.nowMs())
    } catch {
      // unreachable: every verb says so
    }
  }

  /** The database looked at its clock between the two times; what is less than the doubt about when is no difference. */
  #compare(theirsMs: number, askedMs: number, answeredMs: number): void {
    const aheadMs = Math.round(theirsMs - (askedMs + answeredMs) / 2)
    if (Math.abs(aheadMs - this.#aheadMs) <= doubtMs) return
    this.#aheadMs = aheadMs
    this.#onClock(aheadMs)
  }
}
