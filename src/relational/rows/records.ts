import type {
  DeliveryRecord,
  EntryRecord,
  InboundRecord,
  More,
  SummaryRecord,
  TurnRecord,
} from '../../model/records.ts'
import { inboundSql } from '../statements/turns.ts'
import { first, run, type Steps } from '../steps.ts'
import { bodyText, unpackBody } from './bodies.ts'

/** Between rows and the records of an archive. */

export type Row = Record<string, string | number | Uint8Array | null>
type Kept = EntryRecord | TurnRecord | InboundRecord | DeliveryRecord | SummaryRecord

/** Fields that are columns, by table. */
const columnOf = {
  entry: {
    n: 'n',
    seq: 'seq',
    id: 'id',
    turn: 'turn',
    attempt: 'attempt',
    kind: 'kind',
    tokens: 'tokens',
    atMs: 'at_ms',
  },
  turn: {
    ...{ position: 'position', id: 'id', lane: 'lane', source: 'source', status: 'status', attempts: 'attempts' },
    ...{ fence: 'fence', holder: 'holder', settledFence: 'settled_fence', blockedBy: 'blocked_by' },
    ...{ admittedAtMs: 'admitted_ms', queuedAtMs: 'queued_ms', readyAtMs: 'ready_ms', startedAtMs: 'started_ms' },
    ...{ progressAtMs: 'progress_ms', interruptedAtMs: 'interrupted_ms', settledAtMs: 'settled_ms' },
    ...{ cancelRequested: 'cancel_requested', finishReason: 'finish_reason', transcript: 'transcript' },
    ...{ askedFrom: 'asked_from', askedTo: 'asked_to', attemptFrom: 'attempt_from', attemptTo: 'attempt_to' },
    ...{ replyFrom: 'reply_from', replyTo: 'reply_to', streaming: 'streaming' },
    ...{ outcome: 'outcome', usage: 'usage', deliverTo: 'deliver_to' },
  },
  inbound: {
    ...{ id: 'id', turn: 'turn', admission: 'admission', dedupe: 'dedupe', digest: 'digest' },
    ...{ interrupted: 'interrupted', atMs: 'at_ms', tokens: 'tokens' },
  },
  delivery: {
    ...{ id: 'id', turn: 'turn', target: 'target', status: 'status', attempts: 'attempts', nextAtMs: 'next_ms' },
    error: 'error',
  },
  summary: {
    ...{ id: 'id', baseId: 'base_id', uptoSeq: 'upto_seq', kind: 'kind', text: 'text', tokens: 'tokens' },
    ...{ replacedTokens: 'replaced_tokens', atMs: 'at_ms', undoneAtMs: 'undone_ms' },
  },
} as const satisfies Record<Kept['type'], Record<string, string>>

/** Columns that follow from the place where a row stands, or say nothing once its turn has ended. */
const ownColumns: Record<Kept['type'], readonly string[]> = {
  entry: ['transcript', 'parent_id', 'body', 'blob', 'bytes', 'shown_count', 'shown_tokens', 'packed'],
  turn: [
    ...['session', 'place', 'lane_order', 'ready', 'not_before_ms', 'coalesce_until_ms', 'unwritten'],
    ...['instructions', 'instructions_blob', 'params', 'params_blob'],
  ],
  inbound: ['session', 'messages', 'blob', 'bytes', 'packed'],
  delivery: ['claim'],
  summary: ['session', 'transcript'],
}

export const entryRecord = (row: Row): EntryRecord => ({
  ...fieldsOf<EntryRecord>('entry', row),
  body: bodyText(row.body as string | null, row.packed as Uint8Array | null),
})

export function* turnRecord(row: Row): Steps<TurnRecord> {
  return {
    ...fieldsOf<TurnRecord>('turn', row),
    instructions: yield* requestText(row.instructions, row.instructions_blob),
    params: yield* requestText(row.params, row.params_blob),
  }
}

export const inboundRecord = (row: Row): InboundRecord => ({
  ...fieldsOf<InboundRecord>('inbound', row),
  messages: bodyText(row.messages as string | null, row.packed as Uint8Array | null),
})

export const deliveryRecord = (row: Row): DeliveryRecord => fieldsOf<DeliveryRecord>('delivery', row)
export const summaryRecord = (row: Row): SummaryRecord => fieldsOf<SummaryRecord>('summary', row)

function fieldsOf<R extends Kept>(type: R['type'], row: Row): R {
  const columns: Record<string, string> = columnOf[type]
  const fields = Object.entries(columns).map(([field, column]) => [field, row[column] ?? null])
  const more = moreOf(type, row)
  return { type, ...Object.fromEntries(fields), ...(more === null ? {} : { more }) } as R
}

/** Columns that came with a later schema; what is null or 0 is what a new row has. */
function moreOf(type: Kept['type'], row: Row): More | null {
  const known = new Set<string>([...Object.values(columnOf[type]), ...ownColumns[type]])
  const rest = Object.entries(row).filter(([column, value]) => !known.has(column) && value !== null && value !== 0)
  return rest.length === 0 ? null : (Object.fromEntries(rest) as More)
}

function* requestText(text: unknown, blob: unknown): Steps<string | null> {
  if (text !== null || blob === null) return text as string | null
  const { body } = (yield* first<{ body: Uint8Array }>(inboundSql.blobBody, blob as number)) as { body: Uint8Array }
  return unpackBody(body)
}

export const recordSql = { hasColumn: 'SELECT 1 FROM pragma_table_info(?) WHERE name = ?' }

/** Writes a record's row, unless one of its unique columns is taken: then it gives false. `own` are the columns that follow from its place. */
export function* insertRecord(record: Kept, own: Record<string, string | number | null>): Steps<boolean> {
  const columns: Record<string, string> = columnOf[record.type]
  const values = record as unknown as Record<string, string | number | null>
  const row = new Map<string, string | number | null>()
  for (const [field, column] of Object.entries(columns)) row.set(column, values[field] ?? null)
  for (const [column, value] of Object.entries(record.more ?? {})) {
    if (yield* hasColumn(record.type, column)) row.set(column, value) // that of another version may be unknown here
  }
  for (const [column, value] of Object.entries(own)) row.set(column, value)
  const names = [...row.keys()]
  const added = yield* run(
    `INSERT INTO ${record.type} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`,
    ...names.map((name) => row.get(name) ?? null),
  )
  return added === 1
}

function* hasColumn(table: string, column: string): Steps<boolean> {
  return (yield* first(recordSql.hasColumn, table, column)) !== undefined
}
