const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizeUnits = {
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
  t: 1024 ** 4,
  tb: 1024 ** 4,
} as const

/**
 * A span of time as a gateway's configuration has it: `"30d"`, `"1h30m"`, `"1.5h"`, or a number (also as text) in `bare`. Milliseconds;
 * null for anything that a gateway would not take either.
 */
export function gatewayDuration(value: unknown, bare: keyof typeof durationUnits): number | null {
  const text = plainText(value)
  if (text === null) return null
  if (/^\d+(?:\.\d+)?$/.test(text)) return whole(Number(text) * durationUnits[bare])
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return null
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    ms += Number(amount) * durationUnits[unit as keyof typeof durationUnits]
  }
  return whole(ms)
}

/** An amount of storage in the same way: `"10mb"`, `"2g"`, powers of 1024; a number alone is bytes. */
export function gatewaySize(value: unknown): number | null {
  const match = /^(\d+(?:\.\d+)?)([a-z]+)?$/.exec(plainText(value) ?? '')
  if (match === null) return null
  const unit = sizeUnits[(match[2] ?? 'b') as keyof typeof sizeUnits]
  return unit === undefined ? null : whole(Number(match[1]) * unit)
}

function plainText(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return null
  const text = value.trim().toLowerCase()
  return text === '' ? null : text
}

function whole(amount: number): number | null {
  const rounded = Math.round(amount)
  return Number.isSafeInteger(rounded) ? rounded : null
}
