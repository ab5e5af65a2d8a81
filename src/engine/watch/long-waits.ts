import { laneNames } from '../../model/lanes.ts'
import type { WaitCause } from '../../model/turns.ts'
import { type Wait, type WaitPlace, waitStatuses } from '../../store/waits.ts'
import type { Ground } from '../ground.ts'
import { pause } from '../waiting.ts'
import { causeOf } from '../why.ts'
import { heldOf } from './lanes.ts'

/** A limit of ten seconds is told within half as much. */
const lookEveryMs = 5_000
/** Waits read of one lane at once: what is beyond comes with the next look. */
const readMax = 500
/** Waits told one by one at one look; the others are counted. */
const namedMax = 20

/** Tells of waits that are over the limit of their lane, each once while this process lives. */
export class LongWaits {
  readonly #ground: Ground
  /** The last wait of each queue that was told: they are told in order, so what is behind it was not. */
  readonly #told = new Map<string, WaitPlace>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  begin(signal: AbortSignal): void {
    this.#ground.background.insist('long waits', async () => {
      while (await pause(this.#ground.clock, lookEveryMs, signal)) await this.look()
    })
  }

  /** Work of one look is bounded, however many turns wait. */
  async look(): Promise<void> {
    const { store, settings, clock } = this.#ground
    const nowMs = clock.nowMs()
    const found: Wait[] = []
    for (const lane of laneNames) {
      const beganByMs = nowMs - settings.lanes.lanes[lane].waitLimitMs
      for (const status of waitStatuses) {
        const queue = `${lane} ${status}`
        const after = this.#toldOf(queue, nowMs)
        const waits = await store.listWaits({ lane, status, after, beganByMs, limit: readMax })
        const last = waits.at(-1)
        if (last !== undefined) this.#told.set(queue, { sinceMs: last.sinceMs, position: last.position })
        found.push(...waits)
      }
    }
    this.#tell(found, nowMs)
  }

  /** A place that lies ahead was noted before a clock was set back, and would hide what waits since. */
  #toldOf(queue: string, nowMs: number): WaitPlace | null {
    const told = this.#told.get(queue)
    return told === undefined || told.sinceMs > nowMs ? null : told
  }

  #tell(found: readonly Wait[], nowMs: number): void {
    const { telemetry, log, events, watch, holder } = this.#ground
    const { writable } = watch.store
    const unnamed = new Map<string, number>()
    for (const [index, wait] of found.entries()) {
      const { turnId, sessionKey, lane, source, sinceMs } = wait
      const cause: WaitCause = causeOf({ ...wait, held: heldOf(wait, holder.id) }, writable)
      telemetry.longWait(lane, cause)
      if (index < namedMax) {
        const waitedMs = nowMs - sinceMs
        events.publish({ type: 'turn.waits', sessionKey, turnId, lane, cause, waitedMs })
        log.warn(
          { turnId, sessionKey, lane, source, cause, waitedMs },
          'a turn waits for longer than the limit of its lane',
        )
      } else {
        const name = `${lane}: ${cause}`
        unnamed.set(name, (unnamed.get(name) ?? 0) + 1)
      }
    }
    if (unnamed.size === 0) return
    const turns = found.length - namedMax
    log.warn(
      { turns, by: Object.fromEntries(unnamed) },
      'and more turns wait for longer than the limits of their lanes',
    )
  }
}
