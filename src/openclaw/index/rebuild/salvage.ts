import { setImmediate as afterOthers } from 'node:timers/promises'
import { isHoldfastError } from '../../../model/errors.ts'
import { type EntryRead, readEntry } from '../entries/entry.ts'
import { indexBytesMax, parseObject, scanIndex } from '../parse.ts'
import type { Member, ParsedObject } from '../text/scan.ts'

/** One entry that is whole, of an index that need not be. */
interface Salvaged {
  /** Raw JSON text of its value. */
  raw: string
  read: EntryRead
}

export interface SalvagedIndex {
  /** Why it is no index as a whole; null: it is one. */
  because: string | null
  entries: Salvaged[]
}

/** Unit: bytes. */
const sliceBytes = 512 * 1024

/**
 * Every entry of an index that can still be read: all of a good one; of a damaged one those before the damage, behind it and between two of
 * it. Gateways write each entry on lines of its own, indented by two, and nothing else begins like that, since a line feed in a text is
 * escaped; of an index that is laid out in another way those before the first damage.
 */
export async function salvage(
  bytes: Buffer,
  agent: { id: string; sessionsDir: string },
  nowMs: number,
): Promise<SalvagedIndex> {
  const entries: Salvaged[] = []
  const { because, members } = await membersOf(bytes)
  let sinceBytes = 0
  for (const { source, member } of members) {
    const fields = fieldsOf(source, member)
    if (fields !== null) {
      const raw = source.toString('utf8', member.valueStart, member.valueEnd)
      entries.push({ raw, read: readEntry(source, member, fields, agent, noneWaits, nowMs) })
    }
    sinceBytes += member.valueEnd - member.valueStart
    if (sinceBytes < sliceBytes) continue
    sinceBytes = 0
    await afterOthers()
  }
  return { because, entries }
}

const noneWaits: ReadonlySet<string> = new Set()

function fieldsOf(bytes: Buffer, { valueStart, valueEnd }: Member): ParsedObject | null {
  return bytes[valueStart] === 0x7b ? parseObject(bytes, valueStart, valueEnd) : null
}

interface Found {
  /** What its offsets count in. */
  source: Buffer
  member: Member
}

async function membersOf(bytes: Buffer): Promise<{ because: string | null; members: Found[] }> {
  if (bytes.length > indexBytesMax) return { because: `it has ${bytes.length} bytes`, members: [] }
  let found: Member[] = []
  try {
    const scanner = scanIndex(bytes)
    found = scanner.members
    while (!scanner.advance(sliceBytes)) await afterOthers()
    scanner.finish()
    return { because: null, members: found.map((member) => ({ source: bytes, member })) }
  } catch (error) {
    if (!isHoldfastError(error, 'INDEX_UNREADABLE')) throw error
    const pieces = await piecesOf(bytes)
    const members = pieces.length > 0 ? pieces : found.map((member) => ({ source: bytes, member }))
    return { because: String(error.facts.because), members }
  }
}

const beginning = Buffer.from('\n  "')

async function piecesOf(bytes: Buffer): Promise<Found[]> {
  const pieces: Found[] = []
  let sinceBytes = 0
  for (let start = bytes.indexOf(beginning); start !== -1; ) {
    const next = bytes.indexOf(beginning, start + 1)
    const end = next === -1 ? bytes.length : next
    const piece = pieceOf(bytes.subarray(start, end))
    if (piece !== null) pieces.push(piece)
    sinceBytes += end - start
    start = next
    if (sinceBytes < sliceBytes) continue
    sinceBytes = 0
    await afterOthers()
  }
  return pieces
}

/** `"key": value`, with what stands after it up to the next one: a comma, or the end of the index. */
function pieceOf(text: Buffer): Found | null {
  const inner = text.subarray(0, endOf(text))
  // the last one has the brace of the index behind its own
  for (const body of [inner, inner.subarray(0, -1)]) {
    const source = Buffer.concat([Buffer.from('{'), body, Buffer.from('}')])
    try {
      const { members } = parseObject(source)
      const [member] = members
      if (member !== undefined && members.length === 1) return { source, member }
    } catch (error) {
      if (!isHoldfastError(error, 'INDEX_UNREADABLE')) throw error
    }
  }
  return null
}

/** Without white space and a comma behind it. */
function endOf(text: Buffer): number {
  let end = text.length
  while (end > 0 && isSpace(text[end - 1])) end--
  if (text[end - 1] === 0x2c) end--
  return end
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
