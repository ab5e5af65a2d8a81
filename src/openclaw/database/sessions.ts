import type { DatabaseSync } from 'node:sqlite'
import type { Schema } from './schema.ts'

/** A page of a list by keyset. */
export interface Found<Item> {
  items: Item[]
  /** Give it back as `after`; null at the end. */
  next: string | null
}

export interface PageQuery {
  /** Empty: from the beginning. */
  after: string
}

/** What a gateway keeps under one session key. Times are milliseconds since the epoch; null where it has none. */
export interface SessionNode {
  key: string
  /** Of its current window. */
  sessionId: string
  /** The entry as it is stored: JSON. null where it is longer than is read ({@link entryBytesMax}). */
  entry: string | null
  entryBytes: number
  updatedAtMs: number
  usedAtMs: number | null
  pinnedAtMs: number | null
  archivedAtMs: number | null
  status: string | null
}

/** One transcript of a session: rows of {@link readRows}. */
export interface SessionWindow {
  sessionId: string
  previousSessionId: string | null
  /** `reset`, `rollover`, `fork` …; null where none was written down. */
  reason: string | null
  createdAtMs: number
  updatedAtMs: number
  rows: number
  /** It was taken out into an archive: its rows are there. */
  cold: ColdArchive | null
}

/** `file`: it lies in `cold` among the agent's sessions, under `name`. Its bytes are had by readPacked where they are in the database. */
export interface ColdArchive {
  storage: 'file' | 'sqlite'
  name: string
  sha256: string
  rows: number
}

/** A transcript that the gateway took out: JSON lines, perhaps compressed. Its bytes are had by readPacked. */
export interface TranscriptArchive {
  sessionId: string
  key: string
  reason: 'deleted' | 'reset'
  name: string
  encoding: 'identity' | 'zstd'
  sha256: string
  bytes: number
  createdAtMs: number
}

/** An entry is about 14 KB; one beyond this is told and not read. */
const entryBytesMax = 16 * 1024 ** 2

/** Of one answer: a list is read in slices, so that no reading lasts. */
const slice = { rows: 200, bytes: 1024 ** 2 }
const windowsMax = 10_000

const nodeSql = `
  SELECT session_key AS key, current_session_id AS sessionId, octet_length(entry_json) AS entryBytes,
    CASE WHEN octet_length(entry_json) <= ${entryBytesMax} THEN entry_json END AS entry, updated_at AS updatedAtMs,
    coalesce(last_interaction_at, last_activity_at) AS usedAtMs, pinned_at AS pinnedAtMs, archived_at AS archivedAtMs,
    status
  FROM session_nodes WHERE session_key > ? ORDER BY session_key LIMIT ${slice.rows + 1}`

/** By key, as many as fit a slice. */
export function readSessions(db: DatabaseSync, _: Schema, { after }: PageQuery): Found<SessionNode> {
  const items: SessionNode[] = []
  let bytes = 0
  for (const row of db.prepare(nodeSql).iterate(after)) {
    const node = { ...row } as unknown as SessionNode
    bytes += node.entry === null ? 0 : node.entryBytes
    const isFull = items.length === slice.rows || (items.length > 0 && bytes > slice.bytes)
    if (isFull) return { items, next: items.at(-1)?.key ?? null }
    items.push(node)
  }
  return { items, next: null }
}

const windowColumns = `
  session_id AS sessionId, previous_session_id AS previousSessionId, reason, created_at AS createdAtMs,
  updated_at AS updatedAtMs,
  (SELECT count(*) FROM transcript_events e WHERE e.session_id = w.session_id) AS rows`

const windowSql: Record<Schema, string> = {
  19: `SELECT ${windowColumns}, NULL AS cold FROM session_windows w WHERE session_key = ?
    ORDER BY created_at, session_id LIMIT ${windowsMax}`,
  23: `SELECT ${windowColumns}, (
      SELECT json_object('storage', c.storage, 'name', c.archive_name, 'sha256', c.archive_sha256, 'rows', c.event_count)
      FROM session_transcript_cold_archives c WHERE c.session_id = w.session_id) AS cold
    FROM session_windows w WHERE session_key = ? ORDER BY created_at, session_id LIMIT ${windowsMax}`,
}

/** Those of one key, earliest first. */
export function readWindows(db: DatabaseSync, schema: Schema, { key }: { key: string }): SessionWindow[] {
  const rows = db.prepare(windowSql[schema]).all(key) as unknown as (SessionWindow & { cold: string | null })[]
  return rows.map((row) => ({ ...row, cold: row.cold === null ? null : (JSON.parse(row.cold) as ColdArchive) }))
}

const archiveSql = `
  SELECT session_id AS sessionId, session_key AS key, reason, archive_name AS name, encoding, archive_sha256 AS sha256,
    octet_length(archive_blob) AS bytes, created_at AS createdAtMs
  FROM session_transcript_archives WHERE archive_name > ? ORDER BY archive_name LIMIT ${slice.rows + 1}`

/** By name. */
export function readArchives(db: DatabaseSync, _: Schema, { after }: PageQuery): Found<TranscriptArchive> {
  const rows = db.prepare(archiveSql).all(after) as unknown as TranscriptArchive[]
  const items = rows.slice(0, slice.rows).map((row) => ({ ...row }))
  return { items, next: rows.length > slice.rows ? (items.at(-1)?.name ?? null) : null }
}
