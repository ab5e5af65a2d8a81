import { HoldfastError } from './errors.ts'

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const sizeUnits = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 } as const

/** Ten years: longer durations are slips of the pen, and timers count in 32 bits of milliseconds anyway. */
const durationMaxMs = 3_650 * durationUnits.d

/** `90s`, `24h`, `30d`, `1500ms` to milliseconds. @throws HoldfastError CONFIG_INVALID */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim().toLowerCase())
  if (match === null) throw unitInvalid(text, 'a duration such as "90s", "24h" or "30d"')
  const ms = Math.round(Number(match[1]) * durationUnits[match[2] as keyof typeof durationUnits])
  if (ms > durationMaxMs) throw unitInvalid(text, 'at most 3650d')
  return ms
}

/** `10mb`, `512kb`, `2gb` (powers of 1024) to bytes. @throws HoldfastError CONFIG_INVALID */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|tb)$/.exec(text.trim().toLowerCase())
  if (match === null) throw unitInvalid(text, 'a size such as "512kb", "10mb" or "2gb"')
  const bytes = Math.round(Number(match[1]) * sizeUnits[match[2] as keyof typeof sizeUnits])
  if (!Number.isSafeInteger(bytes)) throw unitInvalid(text, 'at most 8192tb')
  return bytes
}

function unitInvalid(found: string, allowed: string): HoldfastError {
  return new HoldfastError('CONFIG_INVALID', { because: `found ${JSON.stringify(found)}, allowed is ${allowed}` })
}

/** 754000 → `12m 34s`: the two largest units, for people. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`
  const order = ['d', 'h', 'm', 's'] as const
  const first = order.findIndex((unit) => ms >= durationUnits[unit])
  const unit = order[first] ?? 's'
  const whole = Math.floor(ms / durationUnits[unit])
  const next = order[first + 1]
  const rest = next === undefined ? 0 : Math.floor((ms % durationUnits[unit]) / durationUnits[next])
  return rest > 0 && next !== undefined ? `${whole}${unit} ${rest}${next}` : `${whole}${unit}`
}

/** 1536 → `1.5 KB`, powers of 1024. */
export function formatSize(bytes: number): string {
  const names = ['B', 'KB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let index = 0
  while (value >= 1024 && index < names.length - 1) {
    value /= 1024
    index += 1
  }
  return `${index === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${names[index]}`
}

/** `3 turns`, `1 turn`, `1,200 entries`. */
export function formatCount(amount: number, noun: string, plural = `${noun}s`): string {
  return `${amount.toLocaleString('en-US')} ${amount === 1 ? noun : plural}`
}
