import { lstatSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Schema } from '../schema.ts'

/** Questions of a doctor, in slices: none of them holds a state of the database for long. `collect.ts` puts the answers together. */

export interface LargeRow {
  sessionId: string
  seq: number
  bytes: number
}

export interface EntryWeight {
  field: string
  entries: number
  bytes: number
}

const slice = { rows: 20_000, entries: 200 }
const largestMax = 10

export interface Totals {
  pageBytes: number
  bytes: number
  freeBytes: number
  /** Of the write-ahead log. */
  logBytes: number
  sessions: number
  windows: number
}

export function readTotals(db: DatabaseSync, _: Schema, { path }: { path: string }): Totals {
  const pageBytes = pragma(db, 'page_size')
  return {
    pageBytes,
    bytes: pragma(db, 'page_count') * pageBytes,
    freeBytes: pragma(db, 'freelist_count') * pageBytes,
    logBytes: lstatSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    sessions: count(db, 'SELECT count(*) AS n FROM session_nodes'),
    windows: count(db, 'SELECT count(*) AS n FROM session_windows'),
  }
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}

function count(db: DatabaseSync, sql: string, ...values: number[]): number {
  return (db.prepare(sql).get(...values) as { n: number }).n
}

/** The length of a value is in its row's head: what it holds is not read. */
const weightSql: Record<Schema, string> = {
  19: 'octet_length(event_json)',
  23: 'coalesce(octet_length(event_json), octet_length(event_zstd))',
}

/** How many rows follow in this slice, and the largest of them. */
export function weighRows(
  db: DatabaseSync,
  schema: Schema,
  { after }: { after: number },
): { rows: number; largest: LargeRow[]; next: number | null } {
  const found = db.prepare(
    `SELECT rowid AS id, session_id AS sessionId, seq, ${weightSql[schema]} AS bytes
     FROM transcript_events WHERE rowid > ? ORDER BY rowid LIMIT ${slice.rows}`,
  )
  let rows = 0
  let last = after
  let largest: LargeRow[] = []
  for (const row of found.iterate(after)) {
    const { id, sessionId, seq, bytes } = row as unknown as LargeRow & { id: number }
    rows += 1
    last = id
    if (largest.length === largestMax && bytes <= (largest.at(-1) as LargeRow).bytes) continue
    largest = largestOf([...largest, { sessionId, seq, bytes }])
  }
  return { rows, largest, next: rows === slice.rows ? last : null }
}

export function largestOf(rows: readonly LargeRow[]): LargeRow[] {
  return rows.toSorted((one, other) => other.bytes - one.bytes).slice(0, largestMax)
}

/** What the entries of this slice consist of. One that is no object counts as one without fields. */
export function weighEntries(
  db: DatabaseSync,
  _: Schema,
  { after }: { after: string },
): { fields: EntryWeight[]; next: string | null } {
  const keys = db
    .prepare(
      `SELECT session_key AS key FROM session_nodes WHERE session_key > ? ORDER BY session_key LIMIT ${slice.entries}`,
    )
    .all(after) as { key: string }[]
  const last = keys.at(-1)?.key
  if (last === undefined) return { fields: [], next: null }
  const fields = db
    .prepare(
      `SELECT f.key AS field, count(*) AS entries,
         sum(octet_length(CASE WHEN f.type IN ('object', 'array') THEN f.value ELSE json_quote(f.value) END)) AS bytes
       FROM session_nodes n, json_each(CASE WHEN json_valid(n.entry_json) THEN n.entry_json ELSE '{}' END) f
       WHERE n.session_key > ? AND n.session_key <= ? AND typeof(f.key) = 'text' GROUP BY f.key`,
    )
    .all(after, last)
    .map((row) => ({ ...row }) as unknown as EntryWeight)
  return { fields, next: keys.length === slice.entries ? last : null }
}

/** Sessions of cron runs (`agent:main:cron:<job>:run:<id>`) that were not used since, and their rows. */
export function countCronRuns(
  db: DatabaseSync,
  _: Schema,
  { beforeMs }: { beforeMs: number },
): { sessions: number; rows: number } {
  const stale = `session_nodes n WHERE n.session_key GLOB '*:cron:*:run:*' AND n.updated_at < ?`
  return {
    sessions: count(db, `SELECT count(*) AS n FROM ${stale}`, beforeMs),
    rows: count(
      db,
      `SELECT count(*) AS n FROM session_windows w JOIN transcript_events e ON e.session_id = w.session_id
       WHERE w.session_key IN (SELECT n.session_key FROM ${stale})`,
      beforeMs,
    ),
  }
}

/** Tables with the names of all that takes pages for them. Those of credentials are not looked at, not even at their size. */
export function readTables(db: DatabaseSync): { name: string; parts: string[] }[] {
  const rows = db
    .prepare(
      `SELECT tbl_name AS owner, name FROM sqlite_master
       WHERE type IN ('table', 'index') AND rootpage > 0 AND tbl_name NOT GLOB 'auth_*' ORDER BY tbl_name, name`,
    )
    .all() as { owner: string; name: string }[]
  const tables = new Map<string, string[]>()
  for (const { owner, name } of rows) tables.set(owner, [...(tables.get(owner) ?? []), name])
  return [...tables].map(([name, parts]) => ({ name, parts }))
}

/** Reads every page of this table or index. */
export function measurePart(db: DatabaseSync, _: Schema, { name }: { name: string }): number {
  const row = db.prepare('SELECT pgsize AS bytes FROM dbstat WHERE aggregate = TRUE AND name = ?').get(name)
  return (row as { bytes: number } | undefined)?.bytes ?? 0
}

/** What SQLite finds wrong in this table and its indexes; nothing where it is whole. Reads every page of it. */
export function checkTable(db: DatabaseSync, _: Schema, { name }: { name: string }): string[] {
  const found = db.prepare(`PRAGMA quick_check("${name.replaceAll('"', '""')}")`).all()
  return found.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok')
}
