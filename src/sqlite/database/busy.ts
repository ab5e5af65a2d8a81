import { systemClock } from '../../host/clock.ts'
import { isBusy } from './failures.ts'

/** How long another connection may keep the file: a checkpoint, the recovery of a log, a program of somebody else. */
export const busyLimitMs = 10_000
export const busyWaitMaxMs = 32

const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/** Tries again while SQLite says "busy". Blocks its thread, so it is not for the main one, nor for the writer at work. */
export function patiently<T>(act: () => T): T {
  const endMs = systemClock.steadyMs() + busyLimitMs
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, busyWaitMaxMs)) {
    try {
      return act()
    } catch (error) {
      if (!isBusy(error) || systemClock.steadyMs() > endMs) throw error
      pause(waitMs)
    }
  }
}

/** Blocks its thread. */
export function pause(ms: number): void {
  Atomics.wait(never, 0, 0, ms)
}
