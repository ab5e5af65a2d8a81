import type { Clock } from '../host/clock.ts'
import type { Log } from '../host/log.ts'
import { isHoldfastError } from '../model/errors.ts'
import type { Holder } from '../model/holders.ts'
import type { Store } from '../store/port.ts'
import type { Background } from './background.ts'
import type { EventLog } from './event-log.ts'
import type { EngineSettings } from './settings.ts'
import type { Telemetry } from './telemetry.ts'
import { backoffMs, pause } from './waiting.ts'
import type { Lookout } from './watch/lookout.ts'
import type { Watch } from './watch.ts'

/** What every loop of one open engine stands on. */
export interface Ground {
  readonly store: Store
  readonly holder: Holder
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly log: Log
  readonly events: EventLog
  readonly watch: Watch
  readonly background: Background
  readonly lookout: Lookout
  /** Aborted when nothing is waited for any more: retries give up, what is unfinished is left to the next start. */
  readonly over: AbortSignal
}

/** Short first, since most hiccups are; never so long that a disk with room again waits to be noticed. */
export const storeBackoffMs = { first: 100, max: 5_000 }

/** Repeats a write while the disk is full or failing, until it is durable; any other error is the caller's. */
export async function persist<T>(ground: Ground, name: string, write: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      const written = await write()
      ground.watch.fine(name)
      return written
    } catch (error) {
      if (!isHoldfastError(error, 'STORE_FULL') && !isHoldfastError(error, 'STORE_IO')) {
        ground.watch.fine(name) // the store has answered, if only with a refusal
        throw error
      }
      ground.watch.trouble(name, error)
      if (failures === 1) ground.log.warn({ write: name, code: error.code }, 'a write waits for the disk')
      if (!(await pause(ground.clock, backoffMs(failures, storeBackoffMs), ground.over))) throw error
    }
  }
}

/** Processes that share a store go by its clock, however far apart their own are. */
export function clockOf(store: Store, clock: Clock): Clock {
  if (!store.shared) return clock
  return Object.assign(Object.create(clock) as Clock, { nowMs: () => clock.nowMs() + store.clockAheadMs })
}
