import type { Line } from '../files/lines.ts'
import { Chain, type Place, type RowEdit } from './chain.ts'
import { type Damage, type DamageKind, type TranscriptFacts, type TranscriptHeader, unmended } from './facts.ts'
import { withoutLoneEscapes } from './rows/bytes.ts'
import type { Entry } from './rows/entry.ts'
import { readLine } from './rows/reading.ts'

/** So much damage is told of one by one. */
const damageMax = 1_000

/** Where the header of the mended transcript comes from: it stands first; it is a row further down; it has to be made. */
export type HeaderSource = 'first' | { row: number; data: Buffer } | 'made'

export interface Checked {
  facts: TranscriptFacts
  header: HeaderSource
  /** By number of row: headers and entries, in their order, beginning with 0. */
  edits: ReadonlyMap<number, RowEdit>
  /** Something can be put right. */
  mendable: boolean
}

/** Goes over a transcript line by line; `end` says what was found. Memory: about 150 bytes for each row, whatever its size. */
export class TranscriptCheck {
  readonly #chain = new Chain()
  readonly #damage: Damage[] = []
  readonly #counts: Partial<Record<DamageKind, number>> = {}
  #lines = 0
  #rows = 0
  #header: { facts: TranscriptHeader; source: HeaderSource } | null = null
  /** A line that is no row, before any row. */
  #brokenFirst: Place | null = null
  #entries = 0
  #messages = 0
  #firstAtMs: number | null = null
  #lastAtMs: number | null = null
  #lastRole: string | null = null

  /** `line` is one after the other, from the first. */
  line(line: Line): void {
    this.#lines += 1
    const at = { line: line.number, offset: line.offset, bytes: line.bytes }
    if (line.data === null) {
      this.#beginWithout(at)
      this.#found('oversized-line', at)
      this.#chain.addUnknown()
      this.#rows += 1
      return
    }
    const reading = readLine(line.data, line.ended)
    const isBroken = reading.parts.length > 0 && reading.parts.every((part) => part.row === null)
    if (this.#rows === 0 && isBroken && this.#brokenFirst === null) this.#brokenFirst = at
    for (const flaw of reading.flaws) this.#found(flaw, at)
    for (const part of reading.parts) {
      if (part.row === null) continue
      const data = reading.data.subarray(part.start, part.end)
      if ('header' in part.row) this.#addHeader(part.row.header, data, at)
      else this.#addEntry(part.row.entry, data, at, reading.readable)
      this.#rows += 1
    }
  }

  /** All lines are in. `bytes`: of the file. */
  end(bytes: number): Checked {
    if (this.#rows === 0) this.#beginWithout({ line: 1, offset: 0, bytes: 0 })
    const { broken, edits } = this.#chain.end()
    for (const at of broken) this.#found('broken-parent', at)
    const damaged = Object.values(this.#counts).reduce((sum, count) => sum + count, 0)
    const left = unmended.reduce((sum, kind) => sum + (this.#counts[kind] ?? 0), 0)
    return {
      facts: {
        bytes,
        lines: this.#lines,
        header: this.#header?.facts ?? null,
        entries: this.#entries,
        messages: this.#messages,
        firstAtMs: this.#firstAtMs,
        lastAtMs: this.#lastAtMs,
        lastRole: this.#lastRole,
        damage: this.#damage.toSorted((a, b) => a.line - b.line).slice(0, damageMax),
        damaged,
        counts: this.#counts,
      },
      header: this.#header?.source ?? 'made',
      edits,
      mendable: damaged > left,
    }
  }

  #addHeader(header: TranscriptHeader, data: Buffer, at: Place): void {
    if (this.#header === null) {
      const source = this.#rows === 0 ? 'first' : { row: this.#rows, data: Buffer.from(withoutLoneEscapes(data)) }
      this.#header = { facts: header, source }
      if (header.version < 3) this.#found('header-old', at)
    }
    this.#chain.addHeader(header.id)
  }

  #addEntry(entry: Entry, data: Uint8Array, at: Place, readable: boolean): void {
    this.#beginWithout(at)
    const isPlain = entry.id === null && this.#header?.facts.version === 1
    const damage = isPlain ? null : this.#chain.add(entry, { data, at, restored: !readable })
    if (isPlain) this.#chain.addPlain()
    if (damage !== null) this.#found(damage, at)
    if (!readable || damage === 'duplicate-line' || damage === 'duplicate-reply') return
    this.#entries += 1
    this.#firstAtMs ??= entry.atMs
    this.#lastAtMs = entry.atMs ?? this.#lastAtMs
    if (entry.message === null) return
    this.#messages += 1
    this.#lastRole = entry.message.role
  }

  /** Something other than a header comes first. */
  #beginWithout(at: Place): void {
    if (this.#rows > 0) return
    if (this.#brokenFirst === null) this.#found('header-missing', { ...at, bytes: 0 })
    else this.#found('header-broken', this.#brokenFirst)
  }

  #found(kind: DamageKind, at: Place): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1
    // broken parents are found last and may stand first
    if (this.#damage.length < damageMax || kind === 'broken-parent') this.#damage.push({ kind, ...at })
  }
}
