import {
  type HeaderRecord,
  headerLine,
  noRecords,
  type RecordCounts,
  recordLine,
  recordsVersion,
  type TranscriptRecord,
} from '../../model/records.ts'
import type { ExportItem, ExportPart } from '../../store/retention.ts'
import { cursorOf, parseCursor } from '../rows/cursor.ts'
import { deliveryRecord, entryRecord, inboundRecord, type Row, summaryRecord, turnRecord } from '../rows/records.ts'
import type { SessionRow } from '../rows/rows.ts'
import type { HiddenRange } from '../rows/shown.ts'
import { exportSql, leaveSql } from '../statements/archives.ts'
import { sessionSql } from '../statements/sessions.ts'
import { all, first, Rows, type Steps } from '../steps.ts'
import { stampOf } from './stamp.ts'

interface TranscriptRow {
  id: number
  number: number
  startedMs: number
  resetReason: string | null
  head: number | null
  endedMs: number | null
}

/** What is written next. */
const phases = ['entries', 'summaries', 'hidden', 'turns', 'end'] as const

interface Place {
  phase: (typeof phases)[number]
  /** The last row of the phase that was written. */
  after: number
  counts: RecordCounts
}

/** Lines that stay together, and where the export stands after them. */
interface Group {
  records: TranscriptRecord[]
  place: Place
  atMs: number | null
}

export function* exportTranscripts(input: { items: ExportItem[]; bytesMax: number }): Steps<ExportPart[]> {
  const parts: ExportPart[] = []
  let bytesLeft = input.bytesMax
  for (const item of input.items) {
    const session = yield* first<SessionRow>(sessionSql.byKey, item.key)
    const transcript = session && (yield* first<TranscriptRow>(leaveSql.transcript, session.id, item.transcript))
    if (session === undefined || transcript === undefined) continue
    if (parts.length > 0 && bytesLeft <= 0) break
    const { part, bytes } = yield* exportOne(session, transcript, item, bytesLeft, parts.length === 0)
    if (part === null) break
    parts.push(part)
    bytesLeft -= bytes
    if (part.next !== null) break
  }
  return parts
}

function* exportOne(
  session: SessionRow,
  transcript: TranscriptRow,
  item: ExportItem,
  bytesMax: number,
  atLeastOne: boolean,
): Steps<{ part: ExportPart | null; bytes: number }> {
  const lines: string[] = []
  let place = placeOf(item.after)
  let bytes = 0
  let entries = 0
  let firstAtMs: number | null = null
  let lastAtMs: number | null = null
  const stamp = yield* stampOf(session, transcript.number)
  const part = (next: string | null): ExportPart => ({
    ...{ key: item.key, transcript: item.transcript, stamp, text: lines.join('') },
    ...{ entries, firstAtMs, lastAtMs, next },
  })
  if (item.after === undefined) {
    lines.push(headerLine(headerOf(session, transcript)))
    bytes += Buffer.byteLength(lines[0] as string)
  }
  const groups = new Groups(session, transcript, place)
  for (let group = yield* groups.next(); group !== null; group = yield* groups.next()) {
    const text = group.records.map(recordLine).join('')
    const groupBytes = Buffer.byteLength(text)
    const none = lines.length <= (item.after === undefined ? 1 : 0)
    if (bytes + groupBytes > bytesMax && !(none && atLeastOne)) {
      return none ? { part: null, bytes: 0 } : { part: part(nextOf(place)), bytes }
    }
    lines.push(text)
    bytes += groupBytes
    place = group.place
    if (group.atMs !== null) {
      entries += 1
      firstAtMs ??= group.atMs
      lastAtMs = group.atMs
    }
  }
  return { part: part(null), bytes }
}

const nextOf = ({ phase, after, counts }: Place): string =>
  cursorOf('export', phases.indexOf(phase), after, ...Object.values(counts))

/** @throws HoldfastError CURSOR_INVALID */
function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return { phase: 'entries', after: 0, counts: noRecords }
  const names = Object.keys(noRecords)
  const [phase, after, ...counts] = parseCursor('export', 2 + names.length, cursor)
  return {
    phase: phases[phase as number] ?? 'end',
    after: after as number,
    counts: Object.fromEntries(names.map((name, at) => [name, counts[at]])) as unknown as RecordCounts,
  }
}

/** Rows that are read at once; those of entries bring their bodies. */
const rowsAtOnce = 50

/** What is left of a transcript after a place, group by group. */
class Groups {
  readonly #session: SessionRow
  readonly #transcript: TranscriptRow
  readonly #from: Place
  #phase: Place['phase'] | null
  #counts: RecordCounts
  #rows: Rows<Row>
  /** The turn of the entry before. */
  #turn: unknown = null

  constructor(session: SessionRow, transcript: TranscriptRow, from: Place) {
    this.#session = session
    this.#transcript = transcript
    this.#from = from
    this.#phase = from.phase
    this.#counts = from.counts
    this.#rows = this.#rowsOf(from.phase)
  }

  /** Null after the last one, which is the end record. */
  *next(): Steps<Group | null> {
    while (this.#phase !== null) {
      if (this.#phase === 'end') {
        this.#phase = null
        return this.#group('end', 0, [{ type: 'end', ...this.#counts }])
      }
      const row = yield* this.#rows.next()
      if (row !== undefined) return yield* this.#groupOf(this.#phase, row)
      this.#phase = phases[phases.indexOf(this.#phase) + 1] as Place['phase']
      this.#rows = this.#rowsOf(this.#phase)
    }
    return null
  }

  #rowsOf(phase: Place['phase']): Rows<Row> {
    const { id: transcript, number } = this.#transcript
    const { id: session, transcript: current } = this.#session
    const after = this.#from.phase === phase ? this.#from.after : 0
    const rows = (key: string, read: (after: number, limit: number) => Steps<Row[]>) =>
      new Rows<Row>(after, rowsAtOnce, (row) => row[key] as number, read)
    switch (phase) {
      case 'entries':
        return rows('seq', (from, limit) => all<Row>(exportSql.entries, transcript, from, limit))
      case 'summaries':
        return rows('id', (from, limit) => all<Row>(exportSql.summaries, session, number, from, limit))
      case 'hidden':
        return rows('fromSeq', (from, limit) => all<Row>(exportSql.hidden, transcript, from, limit))
      case 'turns':
        return rows('position', (from, limit) =>
          all<Row>(exportSql.unopened, session, from, number === current ? limit : 0),
        )
      case 'end':
        return rows('', none)
    }
  }

  *#groupOf(phase: Exclude<Place['phase'], 'end'>, row: Row): Steps<Group> {
    switch (phase) {
      case 'entries': {
        const begins = row.turn !== null && row.turn !== this.#turn
        this.#turn = row.turn
        const opened = begins ? yield* openedBy(this.#session, this.#transcript, row) : []
        return this.#group(phase, row.seq as number, [...opened, entryRecord(row)], row.at_ms as number)
      }
      case 'summaries':
        return this.#group(phase, row.id as number, [summaryRecord(row)])
      case 'hidden': {
        const range = row as unknown as HiddenRange
        return this.#group(phase, range.fromSeq, [{ type: 'hidden', ...range }])
      }
      case 'turns':
        return this.#group(phase, row.position as number, yield* withTurn(row))
    }
  }

  #group(phase: Place['phase'], after: number, records: TranscriptRecord[], atMs: number | null = null): Group {
    this.#counts = { ...this.#counts }
    for (const { type } of records) if (type !== 'end') this.#counts[type] += 1
    return { records, place: { phase, after, counts: this.#counts }, atMs }
  }
}

// biome-ignore lint/correctness/useYield: it has nothing to ask for.
function* none(): Steps<Row[]> {
  return []
}

function* openedBy(session: SessionRow, transcript: TranscriptRow, entry: Row): Steps<TranscriptRecord[]> {
  const { turn, seq } = entry as { turn: number; seq: number }
  const opened = yield* first<Row>(exportSql.opened, turn, seq, session.id, transcript.number)
  return opened === undefined ? [] : yield* withTurn(opened)
}

function* withTurn(row: Row): Steps<TranscriptRecord[]> {
  const position = row.position as number
  const inbound = yield* all<Row>(exportSql.inbound, position)
  const deliveries = yield* all<Row>(exportSql.deliveries, position)
  return [yield* turnRecord(row), ...inbound.map(inboundRecord), ...deliveries.map(deliveryRecord)]
}

function headerOf(session: SessionRow, transcript: TranscriptRow): HeaderRecord {
  const { key, state, title, fence, contextTokens, meterRatio, turnsTotal } = session
  const { createdAtMs, activeAtMs, archivedAtMs } = session
  const { number, startedMs, endedMs, resetReason, head } = transcript
  const current = session.transcript === number
  return {
    ...{ holdfast: 'transcript', version: recordsVersion },
    session: {
      ...{ key, state, title, fence, transcript: session.transcript, contextTokens, meterRatio, turnsTotal },
      ...{ createdAtMs, activeAtMs, archivedAtMs },
    },
    transcript: {
      ...{ number, current, startedAtMs: startedMs, endedAtMs: current ? null : endedMs, resetReason },
      entries: current ? session.head : (head ?? 0),
    },
  }
}
