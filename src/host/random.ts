import { createHash, randomBytes, randomUUID } from 'node:crypto'

/**
 * Ids that sort by the time they were made (48 bits of milliseconds, then 80 random bits; RFC 9562, UUIDv7 layout), so
 * that an index on them grows at its end.
 */
export function timedId(nowMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** What only who was told it can know. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

export const randomId = (): string => randomUUID()

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}
