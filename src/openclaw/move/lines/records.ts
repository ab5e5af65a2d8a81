import type { EventBody } from '../../../model/entries.ts'
import type { SessionKey } from '../../../model/keys.ts'
import type { Message } from '../../../model/messages.ts'
import {
  type BodyRecord,
  type EntryRecord,
  type HeaderRecord,
  noRecords,
  recordsVersion,
} from '../../../model/records.ts'
import { Chunks } from './chunks.ts'
import type { Layout } from './layout.ts'
import { type CarriedLine, carry, rowsOf, type SourceLine } from './line.ts'

/**
 * How a transcript of a gateway stands in the store, entry by entry:
 *
 * 1. An event {@link openingCode}: where it came from, and in the current one the index entry of the session, as text.
 * 2. For each chunk of lines an event {@link linesCode} that carries them to the byte, then the entries that their rows became. So an
 *    export gives every line back, and a reader that knows nothing of this sees a conversation and some events.
 *
 * Ids say where an entry comes from, so that the same row is the same entry each time:
 * `openclaw:<agent>/<transcript>:<line>`, with `.2` for the second row in a line, `:<line>t` for 1. and `:<line>c` for 2.
 */
export const openingCode = 'OPENCLAW_TRANSCRIPT'
export const linesCode = 'OPENCLAW_LINES'

export interface Opening extends EventBody {
  code: typeof openingCode
  version: 1
  agent: string
  /** null where no index knew it. */
  key: string | null
  /** Of the transcript within its agent. */
  name: string
  sessionId: string
  /** Its file's name; null where it stood in a database. */
  file: string | null
  firstLine: number
  lastLine: number
  /** The last line has its line feed. */
  ended: boolean
  importedAtMs: number
  /** Of the session, as JSON; null in earlier transcripts, and where no index knows it. */
  entry: string | null
}

export interface CarriedLines extends EventBody {
  code: typeof linesCode
  first: number
  lines: CarriedLine[]
}

/** Where a transcript comes from, with what is not in its lines. */
export interface Origin {
  agent: string
  key: string | null
  name: string
  sessionId: string
  file: string | null
  importedAtMs: number
  entry: string | null
}

const idPrefix = ({ agent, name }: Pick<Origin, 'agent' | 'name'>): string => `openclaw:${agent}/${name}`

export const openingId = (origin: Pick<Origin, 'agent' | 'name'>, firstLine: number): string =>
  `${idPrefix(origin)}:${firstLine}t`

/** The events and entries of one layout. `lines` are its lines, the same that it was made of. */
async function* entriesOf(
  origin: Origin,
  layout: Layout,
  lines: AsyncIterable<SourceLine>,
): AsyncGenerator<EntryRecord, void, undefined> {
  const writer = new EntryWriter(origin, layout)
  yield writer.opening()
  const chunks = new Chunks()
  let held: SourceLine[] = []
  for await (const line of lines) {
    if (chunks.begins(line) && held.length > 0) {
      yield* writer.chunk(held)
      held = []
    }
    held.push(line)
  }
  if (held.length > 0) yield* writer.chunk(held)
}

class EntryWriter {
  readonly #origin: Origin
  readonly #layout: Layout
  #seq = 0
  #atMs: number

  constructor(origin: Origin, layout: Layout) {
    this.#origin = origin
    this.#layout = layout
    this.#atMs = layout.firstAtMs ?? 0
  }

  opening(): EntryRecord {
    const { agent, key, name, sessionId, file, importedAtMs, entry } = this.#origin
    const { firstLine, lastLine, ended } = this.#layout
    const text = `Imported from OpenClaw: ${lastLine - firstLine + 1} lines of ${file ?? sessionId}.`
    const body: Opening = {
      ...{ code: openingCode, text, version: 1, agent, key, name, sessionId, file, firstLine, lastLine, ended },
      ...{ importedAtMs, entry },
    }
    return this.#record(openingId(this.#origin, firstLine), 'event', body)
  }

  *chunk(lines: SourceLine[]): Generator<EntryRecord> {
    const rows = lines.map((line) => ({ number: line.number, rows: rowsOf(line) }))
    const first = lines[0]?.number ?? 0
    const last = lines.at(-1)?.number ?? 0
    const text = `Lines ${first} to ${last}, as they were.`
    const body: CarriedLines = { code: linesCode, text, first, lines: lines.map(carry) }
    const firstAtMs = rows.flatMap((line) => line.rows).find(({ entry }) => entry?.atMs != null)?.entry?.atMs
    this.#atMs = firstAtMs ?? this.#atMs
    yield this.#record(`${idPrefix(this.#origin)}:${first}c`, 'event', body)
    for (const line of rows) {
      let place = 0
      for (const { entry, mapped } of line.rows) {
        place += 1
        this.#atMs = entry?.atMs ?? this.#atMs
        const id = `${idPrefix(this.#origin)}:${line.number}${place === 1 ? '' : `.${place}`}`
        if (mapped !== null) yield this.#record(id, mapped.kind, mapped.body)
      }
    }
  }

  #record(id: string, kind: string, body: Message | EventBody): EntryRecord {
    this.#seq += 1
    return {
      ...{ type: 'entry', n: 0, seq: this.#seq, id, turn: null, attempt: 0, kind },
      ...{ tokens: this.#layout.tokens[this.#seq - 1] ?? 0, body: JSON.stringify(body) },
      atMs: Math.min(this.#atMs, this.#origin.importedAtMs), // a time to come would make our clock look wrong
    }
  }
}

/** All records of one transcript after its first line. */
export async function* recordsOf(
  origin: Origin,
  layout: Layout,
  lines: AsyncIterable<SourceLine>,
): AsyncGenerator<BodyRecord | ({ type: 'end' } & typeof noRecords), void, undefined> {
  const counts = { ...noRecords }
  for await (const record of entriesOf(origin, layout, lines)) {
    counts.entry += 1
    yield record
  }
  for (const [index, summary] of layout.summaries.entries()) {
    counts.summary += 1
    // 0: the store gives it its number, and knows the one before it
    yield { type: 'summary', id: 0, baseId: index === 0 ? null : 0, kind: 'model', undoneAtMs: null, ...summary }
  }
  for (const range of layout.hidden) {
    counts.hidden += 1
    yield { type: 'hidden', ...range }
  }
  yield { type: 'end', ...counts }
}

export interface Standing {
  key: SessionKey
  state: 'open' | 'archived'
  title: string | null
  createdAtMs: number
  activeAtMs: number
  archivedAtMs: number | null
}

/** The first record: a session without turns and fences. `numbers`: of this transcript and of the current one. */
export function headerOf(
  standing: Standing,
  layout: Layout,
  numbers: { own: number; current: number },
  startedAtMs: number,
): HeaderRecord {
  const current = numbers.own === numbers.current
  return {
    ...{ holdfast: 'transcript', version: recordsVersion },
    session: {
      ...standing,
      ...{ fence: 0, transcript: numbers.current, contextTokens: layout.contextTokens, meterRatio: 1, turnsTotal: 0 },
    },
    transcript: {
      ...{ number: numbers.own, current, startedAtMs, endedAtMs: null },
      ...{ resetReason: layout.reset, entries: layout.entries },
    },
  }
}
