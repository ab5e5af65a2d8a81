import { sha256 } from '../../../host/random.ts'
import type { EntryKind } from '../../../model/entries.ts'
import type { SessionKey } from '../../../model/keys.ts'
import type { AssistantMessage } from '../../../model/messages.ts'
import {
  type EntryRecord,
  type HeaderRecord,
  linesOf,
  parseHeader,
  parseRecord,
  type TranscriptRecord,
} from '../../../model/records.ts'
import type { Store } from '../../../store/port.ts'
import { Branch } from '../lines/branch.ts'
import { rowsOf, type SourceLine, uncarry } from '../lines/line.ts'
import { type CarriedLines, linesCode, type Opening, openingCode } from '../lines/records.ts'
import { type Fields, isFields } from '../rows/entry.ts'
import { rowOfEntry } from '../rows/row.ts'

/** Of one answer of the store. */
const partBytes = 1024 ** 2

/** A transcript of the store as it is read once; null where retention has it. */
export async function readTranscript(store: Store, key: SessionKey, number: number): Promise<TranscriptFacts | null> {
  const parts = await store.exportTranscripts({ items: [{ key, transcript: number }], bytesMax: 1 })
  if (parts.length === 0) return null
  const facts: TranscriptFacts = {
    ...{ header: parseHeader(parts[0]?.text.split('\n', 1)[0] ?? ''), opening: null, own: 0, lines: 0, leftOut: 0 },
    ...{ hidden: [], summary: null },
  }
  const known = new Set<string>()
  for await (const record of recordsIn(store, key, number)) note(facts, record, known)
  return facts
}

/** An index entry is long: it is read again when it is written. */
type Whence = Pick<Opening, 'agent' | 'key' | 'sessionId' | 'file' | 'ended'> & { hasEntry: boolean }

export interface TranscriptFacts {
  header: HeaderRecord
  /** Where it was imported from; null where it began here. */
  opening: Whence | null
  /** Entries that were written here. */
  own: number
  /** Lines that are carried along, and those that were too long for it. */
  lines: number
  leftOut: number
  hidden: { fromSeq: number; toSeq: number }[]
  /** The newest note that was made here and still counts. */
  summary: { uptoSeq: number; text: string; atMs: number; tokensBefore: number } | null
}

export async function* recordsIn(store: Store, key: SessionKey, transcript: number): AsyncGenerator<TranscriptRecord> {
  let after: string | null | undefined
  while (after !== null) {
    const item = { key, transcript, ...(after === undefined ? {} : { after }) }
    const [part] = await store.exportTranscripts({ items: [item], bytesMax: partBytes })
    if (part === undefined) return
    const lines = linesOf(part.text)
    if (after === undefined) lines.shift()
    for (const line of lines) yield parseRecord(line)
    after = part.next
  }
}

function note(facts: TranscriptFacts, record: TranscriptRecord, known: Set<string>): void {
  switch (record.type) {
    case 'entry': {
      const event = eventOf(record)
      if (event?.code === openingCode) facts.opening ??= whence(event as Opening)
      else if (event?.code === linesCode) noteLines(facts, event as CarriedLines, known)
      else if (!isImported(record, facts.opening)) facts.own += 1
      break
    }
    case 'hidden':
      facts.hidden.push(record)
      break
    case 'summary': {
      const { uptoSeq, text, atMs, replacedTokens: tokensBefore, undoneAtMs } = record
      const isOwn = undoneAtMs === null && !known.has(sha256(text))
      if (isOwn) facts.summary = { uptoSeq, text, atMs, tokensBefore }
    }
  }
}

const whence = ({ agent, key, sessionId, file, ended, entry }: Opening): Whence => ({
  ...{ agent, key, sessionId, file, ended },
  hasEntry: entry !== null,
})

/** Summaries that a gateway made stand in its lines. */
function noteLines(facts: TranscriptFacts, { lines, first }: CarriedLines, known: Set<string>): void {
  facts.lines += lines.length
  for (const [at, line] of lines.entries()) {
    const data = uncarry(line)
    if (data === null) facts.leftOut += 1
    else if (data.includes('"compaction"')) {
      for (const { cut } of rowsOf({ number: first + at, bytes: data.length, data, ended: true }))
        if (cut !== null) known.add(sha256(cut.summary))
    }
  }
}

function isImported({ id }: EntryRecord, opening: Whence | null): boolean {
  return opening !== null && id.startsWith('openclaw:')
}

function eventOf({ kind, body }: EntryRecord): Fields | null {
  if (kind !== 'event') return null
  const parsed: unknown = JSON.parse(body)
  return isFields(parsed) ? parsed : null
}

/** Where a transcript is to stand. */
export interface Target {
  sessionId: string
  cwd: string
}

/**
 * The lines of a gateway's transcript, header version 3: those that were carried along as they were, then what was said here since. What came
 * from a database of header version 4, or began at a reset, gets what a file needs at its head.
 */
export async function* linesOfTranscript(
  records: AsyncIterable<TranscriptRecord>,
  facts: TranscriptFacts,
  target: Target,
): AsyncGenerator<Buffer, void, undefined> {
  const writer = new TranscriptWriter(facts, target)
  for await (const record of records) if (record.type === 'entry') yield* writer.entry(record)
  yield* writer.end()
}

const lineFeed = Buffer.from('\n')

class TranscriptWriter {
  readonly #facts: TranscriptFacts
  readonly #target: Target
  readonly #branch = new Branch()
  /** By row of the branch. */
  readonly #ids: (string | null)[] = []
  readonly #names = new Map<string, string>()
  #begun = false
  #leaf: string | null = null
  /** A line that is held back until it is known whether one follows. */
  #open = false
  /** Of the rows in lines that were carried along last, by line. */
  #lineIds = new Map<number, string>()
  #firstKept: string | null = null

  constructor(facts: TranscriptFacts, target: Target) {
    this.#facts = facts
    this.#target = target
  }

  *entry(record: EntryRecord): Generator<Buffer> {
    const event = eventOf(record)
    const { opening } = this.#facts
    if (event?.code === openingCode && opening !== null) return
    if (event?.code === linesCode && opening !== null) return yield* this.#carried(event as CarriedLines)
    if (isImported(record, opening)) return this.#keep(record, this.#lineIds.get(lineOf(record.id)) ?? null)
    yield* this.#own(record, JSON.parse(record.body))
  }

  *end(): Generator<Buffer> {
    if (!this.#begun && this.#facts.own + this.#facts.lines > 0) yield* this.#header()
    const { summary, opening, own } = this.#facts
    if (summary !== null) {
      const { text, atMs, tokensBefore } = summary
      const id = this.#newId(`summary ${summary.uptoSeq}`)
      // where nothing after it is kept, no entry has this id
      const row = {
        type: 'compaction',
        ...this.#place(id, atMs),
        summary: text,
        firstKeptEntryId: this.#firstKept ?? id,
        tokensBefore,
      }
      yield* this.#row(row)
    }
    const asItWas = own === 0 && summary === null && opening !== null && !opening.ended
    if (this.#open && !asItWas) yield lineFeed
  }

  *#carried({ lines, first }: CarriedLines): Generator<Buffer> {
    this.#lineIds = new Map()
    for (const [at, carried] of lines.entries()) {
      const data = uncarry(carried)
      if (data === null) continue
      const line = { number: first + at, bytes: data.length, data, ended: true }
      const given = this.#begun ? data : this.#atHead(line)
      if (given === null) {
        yield* this.#header()
        yield* this.#line(this.#withoutParent(data))
      } else yield* this.#line(given)
      this.#begun = true
      this.#follow(line)
    }
  }

  /** What stands first: a header as it is, or of the version that files have; null where one must be put before it. */
  #atHead({ data, number, ...rest }: SourceLine & { data: Buffer }): Buffer | null {
    const { opening } = this.#facts
    if (opening?.file !== null) return data
    const [row] = rowsOf({ data, number, ...rest })
    if (row?.header == null) return null
    if (row.header.version === 3) return data
    return Buffer.from(JSON.stringify({ ...JSON.parse(data.toString('utf8')), version: 3 }))
  }

  /** The row of a reset, which in a database follows what it has ended. */
  #withoutParent(data: Buffer): Buffer {
    const row: unknown = JSON.parse(data.toString('utf8'))
    return isFields(row) ? Buffer.from(JSON.stringify({ ...row, parentId: null })) : data
  }

  #follow(line: SourceLine): void {
    for (const { entry, mapped } of rowsOf(line)) {
      if (entry === null) continue
      this.#branch.add(entry)
      this.#ids.push(entry.id)
      if (entry.id !== null && !this.#lineIds.has(line.number)) this.#lineIds.set(line.number, entry.id)
      if (mapped !== null) this.#noteCalls(mapped.body)
    }
    this.#leaf = this.#ids[this.#branch.leaf] ?? null
  }

  *#own(record: EntryRecord, body: Fields): Generator<Buffer> {
    if (!this.#begun) yield* this.#header()
    const id = this.#newId(record.id)
    const kind = record.kind as EntryKind
    const shown =
      kind !== 'event' && !this.#facts.hidden.some(({ fromSeq, toSeq }) => fromSeq <= record.seq && record.seq <= toSeq)
    const given = { kind, body: body as unknown as Parameters<typeof rowOfEntry>[0]['body'], shown }
    const link = { id, parentId: this.#leaf, atMs: record.atMs }
    yield* this.#row(rowOfEntry(given, link, (callId) => this.#names.get(callId) ?? 'unknown'))
    this.#noteCalls(body)
    this.#keep(record, id)
  }

  *#row(row: Fields): Generator<Buffer> {
    yield* this.#line(Buffer.from(JSON.stringify(row)))
    this.#leaf = row.id as string
  }

  *#header(): Generator<Buffer> {
    const { sessionId: id, cwd } = this.#target
    const timestamp = new Date(this.#facts.header.transcript.startedAtMs).toISOString()
    this.#begun = true
    yield* this.#line(Buffer.from(JSON.stringify({ type: 'session', version: 3, id, timestamp, cwd })))
  }

  *#line(data: Buffer): Generator<Buffer> {
    yield this.#open ? Buffer.concat([lineFeed, data]) : data
    this.#open = true
  }

  #place(id: string, atMs: number) {
    return { id, parentId: this.#leaf, timestamp: new Date(atMs).toISOString() }
  }

  #keep({ kind, seq }: EntryRecord, id: string | null): void {
    const { summary } = this.#facts
    if (summary !== null && this.#firstKept === null && kind !== 'event' && seq > summary.uptoSeq) this.#firstKept = id
  }

  #noteCalls(body: object): void {
    const { tool_calls: calls } = body as Partial<AssistantMessage>
    if (Array.isArray(calls)) for (const { id, function: called } of calls) this.#names.set(id, called.name)
  }

  /** The same each time, so that an export that was broken off is found again. */
  #newId(of: string): string {
    return uuidOf(`${this.#target.sessionId} ${of}`)
  }
}

/** An id in the shape of those that gateways make, and always the same. */
export function uuidOf(text: string): string {
  const hex = sha256(text)
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

/** `openclaw:main/<transcript>:12.2` is of line 12. */
function lineOf(id: string): number {
  return Number(/:(\d+)(?:\.\d+)?$/.exec(id)?.[1] ?? 0)
}
