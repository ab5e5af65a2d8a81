import { isUtf8 } from 'node:buffer'
import type { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'
import { HoldfastError } from '../../model/errors.ts'
import type { Schema } from './schema.ts'

/** One row of a transcript. */
interface TranscriptRow {
  /** From 0, where the header is; grows, and may skip. */
  seq: number
  /** JSON, as it was written; null where it is longer than asked for. */
  json: string | null
  /** Of the JSON in UTF-8. */
  bytes: number
  /** When it was written. Unit: ms. */
  atMs: number
}

export interface RowsQuery {
  sessionId: string
  /** The `seq` before; -1 from the beginning. */
  after: number
  /** Longer rows are told and not read. */
  rowBytesMax: number
}

export interface RowsFound {
  rows: TranscriptRow[]
  /** Give it back as `after`; null at the end. */
  next: number | null
}

const slice = { rows: 500, bytes: 1024 ** 2 }

/** What the format allows a packed row to become. More would not be one. */
const unpackedBytesMax = 4 * 1024 ** 2

interface Stored {
  seq: number
  json: string | null
  jsonBytes: number | null
  packed: Uint8Array | null
  packedBytes: number | null
  unpackedBytes: number | null
  atMs: number
}

const sqlOf: Record<Schema, string> = {
  19: `SELECT seq, octet_length(event_json) AS jsonBytes, CASE WHEN octet_length(event_json) <= ?3 THEN event_json END AS json,
      NULL AS packed, NULL AS packedBytes, NULL AS unpackedBytes, created_at AS atMs
    FROM transcript_events WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ${slice.rows + 1}`,
  23: `SELECT seq, octet_length(event_json) AS jsonBytes, CASE WHEN octet_length(event_json) <= ?3 THEN event_json END AS json,
      CASE WHEN octet_length(event_zstd) <= ${unpackedBytesMax} THEN event_zstd END AS packed,
      octet_length(event_zstd) AS packedBytes, event_utf8_bytes AS unpackedBytes, created_at AS atMs
    FROM transcript_events WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ${slice.rows + 1}`,
}

/** By `seq`, as many as fit a slice; at least one. @throws HoldfastError HOME_UNREADABLE for a row that is not what it says */
export function readRows(db: DatabaseSync, schema: Schema, query: RowsQuery): RowsFound {
  const { sessionId, after, rowBytesMax } = query
  const rows: TranscriptRow[] = []
  let bytes = 0
  for (const found of db.prepare(sqlOf[schema]).iterate(sessionId, after, rowBytesMax)) {
    const stored = found as unknown as Stored
    const row = rowOf(stored, query)
    bytes += row.json === null ? 0 : row.bytes
    const isFull = rows.length === slice.rows || (rows.length > 0 && bytes > slice.bytes)
    if (isFull) return { rows, next: rows.at(-1)?.seq ?? null }
    rows.push(row)
  }
  return { rows, next: null }
}

function rowOf(stored: Stored, { sessionId, rowBytesMax }: RowsQuery): TranscriptRow {
  const { seq, json, jsonBytes, packed, packedBytes, unpackedBytes, atMs } = stored
  const fail = (because: string) =>
    new HoldfastError('HOME_UNREADABLE', { because: `row ${seq} of session ${sessionId}: ${because}` })
  if (jsonBytes !== null) return { seq, json, bytes: jsonBytes, atMs }
  if (packedBytes === null || unpackedBytes === null) throw fail('it holds neither JSON nor a packed row')
  if (packed === null || unpackedBytes > unpackedBytesMax) throw fail('it is longer than a packed row can be')
  if (unpackedBytes > rowBytesMax) return { seq, json: null, bytes: unpackedBytes, atMs }
  const text = unpack(packed, unpackedBytes)
  if (text === null) throw fail(`it does not unpack to the ${unpackedBytes} bytes that it says`)
  return { seq, json: text, bytes: unpackedBytes, atMs }
}

/** null where it is no zstd frame, or no text, or has another length. */
function unpack(packed: Uint8Array, bytes: number): string | null {
  try {
    const unpacked = zstdDecompressSync(packed, { maxOutputLength: bytes + 1 })
    return unpacked.length === bytes && isUtf8(unpacked) ? unpacked.toString('utf8') : null
  } catch (error) {
    if (isUnpackError(error)) return null
    throw error
  }
}

function isUnpackError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return error instanceof Error && (code === 'ERR_BUFFER_TOO_LARGE' || /^(ZSTD|Z)_/.test(code ?? ''))
}
