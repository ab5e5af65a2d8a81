import type { Line } from '../files/lines.ts'
import type { RowEdit } from './chain.ts'
import type { Checked } from './check.ts'
import type { DamageKind } from './facts.ts'
import { withoutLoneEscapes, withoutZeros } from './rows/bytes.ts'
import { members } from './rows/json.ts'
import { type LineReading, type Part, readLine } from './rows/reading.ts'

/** What became of one line. Lines that are not told of are in the mended transcript byte for byte. */
export interface LineReport {
  /** From 1; 0 for a header that was made. */
  line: number
  offset: number
  bytes: number
  /**
   * `mended`: all that could be read of it is there; `moved`: it stands first now; `taken out`: only the original has it; `added`: it is
   * new; `left`: it is damaged and there as it was.
   */
  outcome: 'mended' | 'moved' | 'taken out' | 'added' | 'left'
  /** For people: what was done, one thing after the other. */
  because: string
}

/** Bytes to write, or to copy from the original where a line is too long to be read. */
export type Piece = Buffer | { from: number; bytes: number }

export interface MendedLine {
  pieces: Piece[]
  report: LineReport | null
}

/**
 * Puts a transcript right, line by line, by what a check of the same lines has found. Lines without damage pass byte for byte; of a
 * damaged one nothing changes but the damage. The same lines give the same bytes.
 */
export class Mender {
  readonly #checked: Checked
  #row = 0

  constructor(checked: Checked) {
    this.#checked = checked
  }

  /** What stands before the first line. `made`: a header for a transcript that has none, without line feed. */
  begin(made: Buffer): MendedLine {
    const { header } = this.#checked
    if (header === 'first') return { pieces: [], report: null }
    if (header !== 'made') return { pieces: [header.data, feed], report: null }
    const report = { line: 0, offset: 0, bytes: 0, outcome: 'added', because: 'a header was made' } as const
    return { pieces: [made, feed], report }
  }

  line(line: Line): MendedLine {
    if (line.data === null) {
      this.#row += 1
      const whole = { from: line.offset, bytes: line.bytes }
      return { pieces: [whole, feed], report: reportOf(line, 'left', ['it is too long to be judged']) }
    }
    const reading = readLine(line.data, line.ended)
    const done = didToCharacters(reading, line.data)
    const pieces: Piece[] = []
    let outcome: LineReport['outcome'] = 'mended'
    for (const part of reading.parts) {
      if (part.row === null) continue
      const row = this.#row
      this.#row += 1
      const edit = this.#checked.edits.get(row)
      if (this.#isHeaderFromBelow(row)) {
        outcome = 'moved'
        done.push('it stands first now')
      } else if (edit?.drop === true) done.push('it is stored twice, the second one was taken out')
      else {
        const data = mendedRow(reading.data.subarray(part.start, part.end), edit, reading.flaws)
        pieces.push(...inItsLine(reading, part, data), feed)
        if (edit !== undefined) done.push(...didToRow(edit))
      }
    }
    done.push(...didToParts(reading.parts))
    if (reading.flaws.includes('oversized-line')) {
      const because = ['it is nested too deep to be judged', ...done]
      if (pieces.length === 0) return { pieces: [line.data, feed], report: reportOf(line, 'left', because) }
      return { pieces, report: reportOf(line, done.length > 0 ? outcome : 'left', because) }
    }
    if (done.length === 0) return { pieces: [line.data, feed], report: null }
    return { pieces, report: reportOf(line, pieces.length === 0 && outcome === 'mended' ? 'taken out' : outcome, done) }
  }

  #isHeaderFromBelow(row: number): boolean {
    const { header } = this.#checked
    return typeof header === 'object' && header.row === row
  }
}

const feed = Buffer.from('\n')

/** The row with what is to change of it, and with characters put right. */
function mendedRow(data: Buffer, edit: RowEdit | undefined, flaws: readonly DamageKind[]): Buffer {
  const row = flaws.includes('lone-surrogate') ? withoutLoneEscapes(data) : data
  if (edit === undefined || edit.drop) return row
  const values = new Map<string, string | null>(edit.references?.map(({ member, id }) => [member, id]))
  if (edit.id !== undefined) values.set('id', edit.id)
  if (edit.parentId !== undefined) values.set('parentId', edit.parentId)
  return withMembers(row, values)
}

/** The same object with these values; what it has keeps its place, what it lacks comes last. All other bytes are the same. */
function withMembers(data: Buffer, values: ReadonlyMap<string, string | null>): Buffer {
  const parts: Buffer[] = []
  const found = new Map(members(data).map((member) => [member.name, member]))
  let from = 0
  for (const { name, start, end } of [...found.values()].sort((a, b) => a.start - b.start)) {
    const value = values.get(name)
    if (value === undefined) continue
    parts.push(data.subarray(from, start), Buffer.from(JSON.stringify(value)))
    from = end
  }
  const close = data.lastIndexOf('}')
  parts.push(data.subarray(from, close))
  for (const [name, value] of values) {
    if (found.has(name)) continue
    const comma = found.size > 0 ? ',' : ''
    parts.push(Buffer.from(`${comma}${JSON.stringify(name)}:${JSON.stringify(value)}`))
  }
  return Buffer.concat([...parts, data.subarray(close)])
}

/** White space around the only row of a line stays. */
function inItsLine(reading: LineReading, part: Part, row: Buffer): Buffer[] {
  if (reading.parts.length > 1) return [row]
  return [reading.data.subarray(0, part.start), row, reading.data.subarray(part.end)].filter(({ length }) => length > 0)
}

function didToCharacters({ flaws }: LineReading, raw: Buffer): string[] {
  const done: string[] = []
  if (flaws.includes('nul-bytes')) done.push(`zeros were taken out (${raw.length - withoutZeros(raw).length} bytes)`)
  if (flaws.includes('not-utf8')) done.push('bytes that are no UTF-8 became U+FFFD')
  if (flaws.includes('lone-surrogate')) done.push('half characters became U+FFFD')
  if (flaws.includes('unended-line')) done.push('it got its line feed')
  return done
}

function didToParts(parts: readonly Part[]): string[] {
  const done: string[] = []
  const rows = parts.filter((part) => part.row !== null).length
  const torn = parts.reduce((sum, part) => sum + (part.row === null ? part.end - part.start : 0), 0)
  if (rows > 1) done.push(`${rows} entries got lines of their own`)
  if (torn > 0) done.push(`${torn} bytes that are no entry were taken out`)
  return done
}

function didToRow(edit: Exclude<RowEdit, { drop: true }>): string[] {
  const done: string[] = []
  if (edit.id !== undefined) done.push(`it got the id ${edit.id}`)
  if (edit.parentId !== undefined)
    done.push(edit.parentId === null ? 'it is the first of its chain now' : `it follows ${edit.parentId} now`)
  for (const { member, id } of edit.references ?? []) done.push(`its ${member} is ${id} now`)
  return done
}

function reportOf({ number, offset, bytes }: Line, outcome: LineReport['outcome'], done: string[]): LineReport {
  return { line: number, offset, bytes, outcome, because: done.join('; ') }
}
