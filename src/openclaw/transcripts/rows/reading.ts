import type { DamageKind } from '../facts.ts'
import { asUtf8, loneEscapes, withoutZeros } from './bytes.ts'
import { isPlainRow, type Row, rowOf } from './entry.ts'
import { bracketsEnd, continues, nesting, skipSpace } from './json.ts'

/** A row, or the rest of one, within the bytes of a line. */
export interface Part {
  start: number
  end: number
  row: Row | null
}

export interface LineReading {
  flaws: DamageKind[]
  /** The line as it can be read: without zeros, as UTF-8. The line's own bytes where nothing is wrong with them. */
  data: Buffer
  /** In their order; nothing but white space between them. Empty for a blank line. */
  parts: Part[]
  /** A gateway reads it as it is. */
  readable: boolean
}

/** Deeper than this no gateway writes, and programs that walk through values fail. */
const depthMax = 256

/** What stands in one line, without its line feed. `ended`: it has one. Never throws. */
export function readLine(raw: Buffer, ended: boolean): LineReading {
  const flaws: DamageKind[] = []
  const zeroless = withoutZeros(raw)
  if (zeroless !== raw) flaws.push('nul-bytes')
  const { data, lone } = asUtf8(zeroless)
  if (data !== zeroless) flaws.push(lone ? 'lone-surrogate' : 'not-utf8')
  const { start, end } = trimmed(data)
  if (start === end) return { flaws, data, parts: [], readable: flaws.length === 0 }

  const value = parse(data, start, end)
  const row = rowOf(value)
  if (row !== null && nesting(data) > depthMax) return tooDeep(raw, { start, end, row }, data === raw)
  const parts = row === null && value === undefined ? split(data, start, end) : [{ start, end, row }]
  const rows = parts.filter((part) => part.row !== null)
  if (row === null)
    flaws.push(rows.length > 0 ? 'welded-line' : !ended && value === undefined ? 'torn-tail' : 'invalid-line')
  else if (!ended) flaws.push('unended-line')
  if (rows.length > 0 && !flaws.includes('lone-surrogate') && loneEscapes(data).length > 0) flaws.push('lone-surrogate')
  return { flaws, data, parts, readable: row !== null && zeroless === raw }
}

/** Left as it is, and looked into no further. */
function tooDeep(
  raw: Buffer,
  { start, end, row }: { start: number; end: number; row: Row },
  whole: boolean,
): LineReading {
  const part = {
    start,
    end,
    row:
      'entry' in row && row.entry.message !== null
        ? { entry: { ...row.entry, message: { ...row.entry.message, text: null } } }
        : row,
  }
  return { flaws: ['oversized-line'], data: raw, parts: whole ? [part] : [], readable: whole }
}

function parse(data: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(data.toString('utf8', start, end))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A byte order mark and white space at either end are no part of a row; gateways skip them as well. */
function trimmed(data: Buffer): { start: number; end: number } {
  let start = skipSpace(data, 0)
  if (data[start] === 0xef && data[start + 1] === 0xbb && data[start + 2] === 0xbf) start = skipSpace(data, start + 3)
  let end = data.length
  while (end > start && skipSpace(data, end - 1) === end) end -= 1
  return { start, end }
}

const opening = Buffer.from('{"type":"')

/**
 * The rows of a line that is none: whole ones one after the other, and after a cut one those that begin where it was cut. Every row of
 * a gateway begins with its type. What stands inside another value is not taken for a row of its own.
 */
function split(data: Buffer, start: number, end: number): Part[] {
  const parts: Part[] = []
  /** Where brackets do not match, each try may read to the end; so many bytes are read in all. */
  let budget = (end - start) * 16 + 1_000_000
  const wholeAt = (at: number, plain: boolean): Part | null => {
    const stop = budget > 0 ? bracketsEnd(data.subarray(0, end), at) : null
    budget -= (stop ?? end) - at
    if (stop === null) return null
    const row = rowOf(parse(data, at, stop))
    if (row === null || (plain && (!isPlainRow(row) || continues(data[skipSpace(data, stop)])))) return null
    return { start: at, end: stop, row }
  }
  let at = start
  while (at < end) {
    const next = data[at] === opening[0] ? wholeAt(at, false) : null
    const found = next ?? nextWhole(data, at + 1, end, wholeAt)
    const stop = found === null ? end : found.start
    if (stop > at) parts.push({ start: at, end: stop, row: null })
    if (found !== null) parts.push(found)
    at = skipSpace(data, found === null ? end : found.end)
  }
  return parts
}

function nextWhole(
  data: Buffer,
  from: number,
  end: number,
  wholeAt: (at: number, plain: boolean) => Part | null,
): Part | null {
  for (let at = data.indexOf(opening, from); at !== -1 && at < end; at = data.indexOf(opening, at + 1)) {
    const found = wholeAt(at, true)
    if (found !== null) return found
  }
  return null
}
