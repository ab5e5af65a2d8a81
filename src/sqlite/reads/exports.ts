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
import type { Connection } from '../file/connection.ts'
import { cursorOf, parseCursor } from '../file/cursor.ts'
import { deliveryRecord, entryRecord, inboundRecord, type Row, summaryRecord, turnRecord } from '../file/records.ts'
import type { SessionRow } from '../file/rows.ts'
import type { HiddenRange } from '../file/shown.ts'
import { exportSql, leaveSql } from '../statements/archives.ts'
import { sessionSql } from '../statements/sessions.ts'
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
interface Step {
  records: TranscriptRecord[]
  place: Place
  atMs: number | null
}

export function exportTranscripts(db: Connection, input: { items: ExportItem[]; bytesMax: number }): ExportPart[] {
  const parts: ExportPart[] = []
  let bytesLeft = input.bytesMax
  for (const item of input.items) {
    const session = db.first<SessionRow>(sessionSql.byKey, item.key)
    const transcript = session && db.first<TranscriptRow>(leaveSql.transcript, session.id, item.transcript)
    if (session === undefined || transcript === undefined) continue
    if (parts.length > 0 && bytesLeft <= 0) break
    const { part, bytes } = exportOne(db, session, transcript, item, bytesLeft, parts.length === 0)
    if (part === null) break
    parts.push(part)
    bytesLeft -= bytes
    if (part.next !== null) break
  }
  return parts
}

function exportOne(
  db: Connection,
  session: SessionRow,
  transcript: TranscriptRow,
  item: ExportItem,
  bytesMax: number,
  atLeastOne: boolean,
): { part: ExportPart | null; bytes: number } {
  const lines: string[] = []
  let place = placeOf(item.after)
  let bytes = 0
  let entries = 0
  let firstAtMs: number | null = null
  let lastAtMs: number | null = null
  const part = (next: string | null): ExportPart => ({
    ...{ key: item.key, transcript: item.transcript, stamp: stampOf(db, session, transcript.number) },
    ...{ text: lines.join(''), entries, firstAtMs, lastAtMs, next },
  })
  if (item.after === undefined) {
    lines.push(headerLine(headerOf(session, transcript)))
    bytes += Buffer.byteLength(lines[0] as string)
  }
  for (const step of stepsFrom(db, session, transcript, place)) {
    const text = step.records.map(recordLine).join('')
    const stepBytes = Buffer.byteLength(text)
    const none = lines.length <= (item.after === undefined ? 1 : 0)
    if (bytes + stepBytes > bytesMax && !(none && atLeastOne)) {
      return none ? { part: null, bytes: 0 } : { part: part(nextOf(place)), bytes }
    }
    lines.push(text)
    bytes += stepBytes
    place = step.place
    if (step.atMs !== null) {
      entries += 1
      firstAtMs ??= step.atMs
      lastAtMs = step.atMs
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

function* stepsFrom(db: Connection, session: SessionRow, transcript: TranscriptRow, from: Place): Generator<Step> {
  let { counts } = from
  const step = (
    phase: Place['phase'],
    after: number,
    records: TranscriptRecord[],
    atMs: number | null = null,
  ): Step => {
    counts = { ...counts }
    for (const { type } of records) if (type !== 'end') counts[type] += 1
    return { records, place: { phase, after, counts }, atMs }
  }
  const start = phases.indexOf(from.phase)
  const afterIn = (phase: Place['phase']) => (from.phase === phase ? from.after : 0)
  if (start <= 0) {
    let before: unknown = null
    for (const row of db.each<Row>(exportSql.entries, transcript.id, afterIn('entries'))) {
      const opened = row.turn === null || row.turn === before ? [] : openedBy(db, session, transcript, row)
      before = row.turn
      yield step('entries', row.seq as number, [...opened, entryRecord(row)], row.at_ms as number)
    }
  }
  if (start <= 1) {
    for (const row of db.each<Row>(exportSql.summaries, session.id, transcript.number, afterIn('summaries'))) {
      yield step('summaries', row.id as number, [summaryRecord(row)])
    }
  }
  if (start <= 2) {
    for (const range of db.each<HiddenRange>(exportSql.hidden, transcript.id, afterIn('hidden'))) {
      yield step('hidden', range.fromSeq, [{ type: 'hidden', ...range }])
    }
  }
  if (start <= 3 && session.transcript === transcript.number) {
    for (const row of db.each<Row>(exportSql.unopened, session.id, afterIn('turns'))) {
      yield step('turns', row.position as number, withTurn(db, row))
    }
  }
  yield step('end', 0, [{ type: 'end', ...counts }])
}

function openedBy(db: Connection, session: SessionRow, transcript: TranscriptRow, entry: Row): TranscriptRecord[] {
  const { turn, seq } = entry as { turn: number; seq: number }
  const opened = db.first<Row>(exportSql.opened, turn, seq, session.id, transcript.number)
  return opened === undefined ? [] : withTurn(db, opened)
}

const withTurn = (db: Connection, row: Row): TranscriptRecord[] => [
  turnRecord(db, row),
  ...db.all<Row>(exportSql.inbound, row.position as number).map(inboundRecord),
  ...db.all<Row>(exportSql.deliveries, row.position as number).map(deliveryRecord),
]

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
