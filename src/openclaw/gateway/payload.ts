/**
 * What stands in lock files. To 2026.3: `{"pid":15,"createdAt":"…"}`; then `starttime` too, on Linux; from 2026.5 `maxHoldMs`. A gateway's own
 * lock has `startTime`, `configPath`, `stateDir`, `port`. From 2026.9 a line of tabs and spaces follows, by which a holder knows its own
 * file: to a parser of JSON it is nothing.
 */
export interface Payload {
  pid: number
  createdAtMs: number | null
  startTicks: number | null
  maxHoldMs: number | null
  configPath: string | null
  stateDir: string | null
}

/** More than any release writes, and little enough to parse without a thought. Unit: bytes. */
export const payloadBytesMax = 64 * 1024
/** Of any system's process ids. */
const pidMax = 2 ** 31

export function parsePayload(data: Uint8Array): Payload | { malformed: string } {
  if (data.length === 0) return { malformed: 'it is empty' }
  let told: unknown
  try {
    told = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data))
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
    return { malformed: 'it is no JSON' }
  }
  if (told === null || typeof told !== 'object' || Array.isArray(told)) return { malformed: 'it is no JSON object' }
  const fields: Partial<Record<string, unknown>> = told
  const pid = wholeNumber(fields.pid)
  if (pid === null || pid === 0 || pid >= pidMax) return { malformed: 'it names no process' }
  const createdAtMs = typeof fields.createdAt === 'string' ? Date.parse(fields.createdAt) : Number.NaN
  return {
    pid,
    createdAtMs: Number.isNaN(createdAtMs) ? null : createdAtMs,
    startTicks: wholeNumber(fields.starttime) ?? wholeNumber(fields.startTime),
    maxHoldMs: wholeNumber(fields.maxHoldMs) || null,
    configPath: textOf(fields.configPath),
    stateDir: textOf(fields.stateDir),
  }
}

function wholeNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
