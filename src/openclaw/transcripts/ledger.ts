import { createHash, type Hash } from 'node:crypto'
import type { Line } from '../files/lines.ts'
import type { RowEdit } from './chain.ts'
import { withoutLoneEscapes } from './rows/bytes.ts'
import { type Row, referring } from './rows/entry.ts'
import { members } from './rows/json.ts'
import { readLine } from './rows/reading.ts'

/**
 * What a gateway could read of a transcript, to be compared with what it can read of the mended one: every entry by the bytes of
 * its members. Left out are its id and what names other entries, since mending changes those.
 */
export class Ledger {
  /** How often each was there, less how often it is there now. */
  readonly #open = new Map<number, number>()
  /** What was stored twice and is to be there still, and all that is there. */
  readonly #twice = new Set<number>()
  readonly #there = new Set<number>()
  #row = 0
  #tooLong = 0

  /** A line of the original, one after the other. */
  original(line: Line, edits: ReadonlyMap<number, RowEdit>): void {
    if (line.data === null) {
      this.#row += 1
      this.#tooLong += line.bytes
      return
    }
    const reading = readLine(line.data, line.ended)
    for (const { row, start, end } of reading.parts) {
      if (row === null) continue
      const data = reading.data.subarray(start, end)
      const isTakenOut = edits.get(this.#row)?.drop === true
      this.#row += 1
      if (isTakenOut) this.#twice.add(meaningOf(row, data))
      else if (reading.readable) this.#count(contentOf(data), 1)
    }
  }

  /** A line of the mended one. */
  mended(line: Line): void {
    if (line.data === null) {
      this.#tooLong -= line.bytes
      return
    }
    const reading = readLine(line.data, line.ended)
    if (!reading.readable) return
    for (const { row, start, end } of reading.parts) {
      if (row === null) continue
      const data = reading.data.subarray(start, end)
      this.#count(contentOf(data), -1)
      this.#there.add(meaningOf(row, data))
    }
  }

  /** How many are missing now. What could not be read before and can be read now is no loss. */
  missing(): number {
    let count = this.#tooLong === 0 ? 0 : 1
    for (const meaning of this.#twice) if (!this.#there.has(meaning)) count += 1
    for (const left of this.#open.values()) count += Math.max(0, left)
    return count
  }

  #count(content: number, by: number): void {
    const left = (this.#open.get(content) ?? 0) + by
    if (left === 0) this.#open.delete(content)
    else this.#open.set(content, left)
  }
}

/** The second copy of a reply has other counts and times than the first, and the same words. */
function meaningOf(row: Row, data: Buffer): number {
  const text = 'entry' in row ? (row.entry.message?.text ?? '') : ''
  return text.trim() === '' ? contentOf(data) : digestOf(createHash('sha256').update(`text ${text}`))
}

const outside = new Set<string>(['id', 'parentId', ...referring])

function contentOf(row: Buffer): number {
  const hash = createHash('sha256')
  for (const { name, start, end } of members(row)) {
    if (!outside.has(name))
      hash
        .update(`${name}:`)
        .update(withoutLoneEscapes(row.subarray(start, end)))
        .update(',')
  }
  return digestOf(hash)
}

function digestOf(hash: Hash): number {
  return hash.digest().readUIntBE(0, 6)
}
