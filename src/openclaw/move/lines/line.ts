import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Line } from '../../files/lines.ts'
import type { Entry } from '../../transcripts/rows/entry.ts'
import { readLine } from '../../transcripts/rows/reading.ts'
import { entryOfRow, type Fields, isFields, type Mapped } from '../rows/entry.ts'

/** A line of a transcript; one from a database has a number and ends, as one in a file. */
export type SourceLine = Pick<Line, 'number' | 'bytes' | 'data' | 'ended'>

/** A row that stands in a line. */
export interface Row {
  header: { version: number; id: string; cwd: string | null } | null
  entry: Entry | null
  mapped: Mapped | null
  /** Of a compaction or a reset; null in others. */
  cut: { kind: 'compaction' | 'reset'; summary: string; firstKept: string | null } | null
  /** Of a `session_info`. */
  name: string | null
}

/** All rows of a line; several where two writers met in it, none where nothing in it can be read. */
export function rowsOf(line: SourceLine): Row[] {
  if (line.data === null) return []
  const { data, parts } = readLine(line.data, line.ended)
  return parts.flatMap(({ row, start, end }): Row[] => {
    if (row === null) return []
    if ('header' in row) return [{ ...nothing, header: row.header }]
    const fields: unknown = JSON.parse(data.toString('utf8', start, end))
    if (!isFields(fields)) return []
    return [{ ...nothing, entry: row.entry, mapped: entryOfRow(fields), cut: cutOf(fields), name: nameOf(fields) }]
  })
}

const nothing: Row = { header: null, entry: null, mapped: null, cut: null, name: null }

function cutOf({ type, summary, firstKeptEntryId }: Fields): Row['cut'] {
  if (type !== 'compaction' && type !== 'reset') return null
  const firstKept = typeof firstKeptEntryId === 'string' ? firstKeptEntryId : null
  return { kind: type, summary: typeof summary === 'string' ? summary : '', firstKept }
}

function nameOf({ type, name }: Fields): string | null {
  return type === 'session_info' && typeof name === 'string' ? name : null
}

/**
 * A line as it is carried along: its text; its bytes where they are no text; of one that is too long only how long it is, so that it is
 * missed and not forgotten.
 */
export type CarriedLine = string | { base64: string } | { leftOut: number }

export function carry({ data, bytes }: SourceLine): CarriedLine {
  if (data === null) return { leftOut: bytes }
  return isUtf8(data) ? data.toString('utf8') : { base64: data.toString('base64') }
}

/** null where it was left out. */
export function uncarry(line: CarriedLine): Buffer | null {
  if (typeof line === 'string') return Buffer.from(line)
  return 'base64' in line ? Buffer.from(line.base64, 'base64') : null
}

/** SHA-256 of lines, each with a line feed; of one that is left out its length counts. */
export class LinesDigest {
  readonly #hash = createHash('sha256')

  add({ data, bytes }: Pick<SourceLine, 'data' | 'bytes'>): void {
    this.#hash.update(data ?? `${bytes}`).update('\n')
  }

  hex(): string {
    return this.#hash.digest('hex')
  }
}
