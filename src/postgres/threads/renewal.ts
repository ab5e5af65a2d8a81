import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { systemClock } from '../../host/clock.ts'
import type { Holder } from '../../model/holders.ts'
import { clientConfig, quoted } from '../database/connection.ts'
import { renewAgainMs, renewEveryMs, renewLimitMs } from '../database/lease.ts'
import type { ConnectionSettings } from './data.ts'

/** Two machines that are kept in time differ by less. Unit: ms. */
const doubtMs = 100

const clockSql = 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms'

/**
 * Says every few seconds that this gateway lives, in the words of the database's own clock, and only while its main thread has made
 * progress since the last time. One row for each gateway, however many sessions it runs; on a connection of its own, so that no load of
 * work comes before it.
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
    settings: ConnectionSettings,
    schema: string,
    holder: Holder,
    beats: SharedArrayBuffer,
    onClock: (aheadMs: number) => void,
  ) {
    this.#onClock = onClock
    this.#pool = new pg.Pool({
      ...clientConfig(settings),
      max: 1,
      connectionTimeoutMillis: renewLimitMs,
      query_timeout: renewLimitMs,
      keepAlive: true,
    })
    this.#pool.on('connect', (client) => client.on('error', () => {})) // whoever asks next is told
    this.#pool.on('error', () => {})
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
    await this.#pool.end()
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    let waitMs: number = renewEveryMs
    for (;;) {
      await sleep(waitMs, undefined, { signal }).catch(() => {}) // stopped
      if (signal.aborted) return
      waitMs = (await this.#renew()) ? renewEveryMs : renewAgainMs
    }
  }

  /** Gives whether it is known to live now. */
  async #renew(): Promise<boolean> {
    const beat = Atomics.load(this.#beats, 0)
    if (beat === this.#seen) return false
    try {
      const askedMs = systemClock.nowMs()
      const { rows } = await this.#pool.query<{ now_ms: string }>(this.#renewSql, [this.#holder.id])
      this.#seen = beat
      this.#compare(Number(rows[0]?.now_ms ?? askedMs), askedMs, systemClock.nowMs())
      return true
    } catch {
      return false // unreachable: every verb says so
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
