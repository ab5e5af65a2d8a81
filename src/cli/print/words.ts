import { formatCount, formatDuration } from '../../model/units.ts'

/** `3 turns`, `1 turn`, `1,200 entries`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return formatCount(amount, noun, plural)
}

/** `12m 34s ago`; a clock that jumped never gives a negative age. */
export function ago(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs
  return ms < 1_000 ? 'just now' : `${formatDuration(ms)} ago`
}

/** `2026-11-21 08:14:02Z`: to the second, always in UTC, so that two people mean the same moment. */
export function moment(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ').replace(/\.\d+/, '')
}
