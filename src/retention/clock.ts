import { formatDuration } from '../model/units.ts'

/** Where a stretch of time began in which wall and steady clock went side by side. */
export interface ClockAnchor {
  wallMs: number
  steadyMs: number
  /** What is wrong since then; null when nothing is. */
  suspicion: string | null
}

export interface ClockReading {
  wallMs: number
  steadyMs: number
}

/** What the store knows of time. */
export interface ClockMemory {
  /** The latest time that anything in it has happened at. */
  newestMs: number
  /** When a clock was trusted last; null when never. */
  notedMs: number | null
}

export type ClockVerdict = { kind: 'sane' } | { kind: 'suspect'; because: string }

const minuteMs = 60_000
const hourMs = 60 * minuteMs

export const clockLimits = {
  /** Time synchronisation sets a clock back by seconds, an hour's worth is a mistake or an attack. */
  backwardsMs: 5 * minuteMs,
  /** Within one process. */
  jumpMs: hourMs,
  /** Nothing was seen for so long before the start: a long weekend is, a year is not. */
  gapMs: 72 * hourMs,
  /** After this much of steady running the clock is believed again: time enough for somebody to correct it. */
  steadyMs: 24 * hourMs,
} as const

/**
 * The clock at the start of a process, from what the store knew then. What this process has written itself says nothing
 * about it, so a `newestMs` from after the start counts for nothing; nor does one that lies beyond a gap since a clock was
 * trusted: an earlier process may have written it with the same wrong clock.
 */
export function anchorClock(start: ClockReading, memory: ClockMemory): ClockAnchor {
  const { newestMs, notedMs } = memory
  const vouches = newestMs < start.wallMs && (notedMs === null || newestMs - notedMs <= clockLimits.gapMs)
  const knownMs = vouches ? Math.max(newestMs, notedMs ?? 0) : notedMs
  const { wallMs, steadyMs } = start
  if (knownMs === null) {
    return { wallMs, steadyMs, suspicion: 'whether the clock was right at the start cannot be told' }
  }
  if (wallMs - knownMs > clockLimits.gapMs && knownMs > 0) {
    const suspicion = `at the start the clock showed ${spell(wallMs)}, ${formatDuration(wallMs - knownMs)} after it was last trusted`
    return { wallMs, steadyMs, suspicion }
  }
  return { wallMs, steadyMs, suspicion: null }
}

/** A new stretch begins where the wall clock has moved otherwise than the steady one. */
export function observeClock(anchor: ClockAnchor, reading: ClockReading): ClockAnchor {
  const movedMs = reading.wallMs - anchor.wallMs - (reading.steadyMs - anchor.steadyMs)
  if (movedMs <= clockLimits.jumpMs && movedMs >= -clockLimits.backwardsMs) return anchor
  const way = movedMs > 0 ? 'forwards' : 'back'
  return { ...reading, suspicion: `the clock jumped ${way} by ${formatDuration(Math.abs(movedMs))}` }
}

/** Whether what is old by this clock may go. `anchor` is of `observeClock` with this very reading. */
export function judgeClock(anchor: ClockAnchor, reading: ClockReading, memory: ClockMemory): ClockVerdict {
  const seenMs = Math.max(memory.newestMs, memory.notedMs ?? 0)
  const behindMs = seenMs - reading.wallMs
  const behind =
    behindMs > clockLimits.backwardsMs ? `the clock is ${formatDuration(behindMs)} behind what is stored` : null
  const suspicion = anchor.suspicion ?? behind
  const steadyMs = reading.steadyMs - anchor.steadyMs
  if (suspicion === null || steadyMs >= clockLimits.steadyMs) return { kind: 'sane' }
  const leftMs = clockLimits.steadyMs - steadyMs
  return {
    kind: 'suspect',
    because: `${suspicion}; it is ${spell(reading.wallMs)} by it now, and is believed after ${formatDuration(leftMs)} of steady running`,
  }
}

function spell(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
    ? new Date(ms).toISOString().slice(0, 16).concat('Z')
    : String(ms)
}
