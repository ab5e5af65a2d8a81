import type { Clock } from '../host/clock.ts'

/** Twice as long after each failure, from `first` on (for 1 failure) to `max`. */
export function backoffMs(failures: number, bounds: { first: number; max: number }): number {
  return Math.min(bounds.max, bounds.first * 2 ** Math.min(Math.max(0, failures - 1), 30))
}

/** Waits `ms`; false when the signal ended the wait. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}

/** The promise's own end, or a rejection with the signal's reason, whichever is first. */
export function until<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const give = () => reject(signal.reason)
    if (signal.aborted) give()
    signal.addEventListener('abort', give, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', give))
  })
}
