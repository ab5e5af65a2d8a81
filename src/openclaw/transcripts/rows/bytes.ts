import { isUtf8 } from 'node:buffer'

/** What is wrong with characters, byte by byte, and put right without a change to any other byte. */

const replacement = Buffer.from('\ufffd')

/** `data` itself where it holds no zeros. */
export function withoutZeros(data: Buffer): Buffer {
  if (!data.includes(0)) return data
  return data.filter((byte) => byte !== 0) as Buffer
}

/**
 * `data` itself where it is UTF-8. Halves of surrogate pairs that were encoded one by one (CESU-8) become their character again
 * where both are there; what is no character becomes U+FFFD, as gateways read it.
 */
export function asUtf8(data: Buffer): { data: Buffer; lone: boolean } {
  if (isUtf8(data)) return { data, lone: false }
  const parts: Buffer[] = []
  let lone = false
  let from = 0
  for (let at = data.indexOf(0xed); at !== -1; at = data.indexOf(0xed, at + 1)) {
    const high = surrogateAt(data, at)
    if (high === null || at < from) continue
    const low = high < 0xdc00 ? surrogateAt(data, at + 3) : null
    const paired = low !== null && low >= 0xdc00
    parts.push(data.subarray(from, at), paired ? Buffer.from(String.fromCharCode(high, low)) : replacement)
    if (!paired) lone = true
    from = at + (paired ? 6 : 3)
  }
  const joined = Buffer.concat([...parts, data.subarray(from)])
  return { data: isUtf8(joined) ? joined : Buffer.from(joined.toString('utf8')), lone }
}

function surrogateAt(data: Buffer, at: number): number | null {
  const [first, second = 0, third = 0] = data.subarray(at, at + 3)
  if (first !== 0xed || second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf) return null
  return 0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)
}

/** Where escapes of half a character begin (`\ud83d` without its other half), in JSON. */
export function loneEscapes(data: Buffer): number[] {
  const found: number[] = []
  let at = data.indexOf('\\')
  while (at !== -1 && at < data.length) {
    const unit = escapedUnit(data, at)
    if (unit === null) at += 2
    else if (unit < 0xd800 || unit > 0xdfff) at += 6
    else if (unit < 0xdc00 && isLow(escapedUnit(data, at + 6))) at += 12
    else {
      found.push(at)
      at += 6
    }
    at = data.indexOf('\\', at)
  }
  return found
}

function isLow(unit: number | null): boolean {
  return unit !== null && unit >= 0xdc00 && unit <= 0xdfff
}

/** The code unit that `\uXXXX` at `at` stands for; null where none does. */
function escapedUnit(data: Buffer, at: number): number | null {
  if (data[at] !== 0x5c || data[at + 1] !== 0x75) return null
  const digits = data.toString('latin1', at + 2, at + 6)
  return /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : null
}

/** The same bytes with `\ufffd` in place of each half of a character; `data` itself where there is none. */
export function withoutLoneEscapes(data: Buffer): Buffer {
  const found = loneEscapes(data)
  if (found.length === 0) return data
  const mended = Buffer.from(data)
  for (const at of found) mended.write('\\ufffd', at, 'latin1')
  return mended
}
