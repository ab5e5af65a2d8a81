import { setTimeout as sleep } from 'node:timers/promises'

/** Time as an argument, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. For records that people read. */
  nowMs(): number
  /** Milliseconds from some fixed point; never goes back. For measuring waits. */
  steadyMs(): number
  /** Resolves after `ms`, or rejects with the signal's reason. Does not keep the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  steadyMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? { ref: false } : { ref: false, signal }),
}
