import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop was, in milliseconds, since the last `reset`. */
export interface LoopDelay {
  readMs(): LoopDelayMs
  reset(): void
  stop(): void
}

interface LoopDelayMs {
  mean: number
  p50: number
  p99: number
  p999: number
  max: number
}

/** The sampling timer's own period is taken off; what is left is delay. */
const resolutionMs = 10
const perMs = 1e6 // the histogram counts nanoseconds

export function watchLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  const delayOf = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / perMs - resolutionMs) : 0)
  return {
    readMs: () => ({
      mean: delayOf(histogram.mean),
      p50: delayOf(histogram.percentile(50)),
      p99: delayOf(histogram.percentile(99)),
      p999: delayOf(histogram.percentile(99.9)),
      max: histogram.count === 0 ? 0 : delayOf(histogram.max),
    }),
    reset: () => histogram.reset(),
    stop: () => void histogram.disable(),
  }
}
