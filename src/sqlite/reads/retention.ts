import type { ArchivedTranscript, ArchivePlace } from '../../model/archives.ts'
import type { Page } from '../../store/page.ts'
import type {
  ArchivedQuery,
  EarlierFacts,
  KindFacts,
  RetentionFacts,
  RetentionQuery,
  SessionFacts,
} from '../../store/retention.ts'
import type { Connection } from '../file/connection.ts'
import { cursorOf, parseCursor } from '../file/cursor.ts'
import { archivedSql, leaveSql, retentionSql } from '../statements/archives.ts'
import { metaSql } from '../statements/upkeep.ts'
import { pageMax } from './sessions.ts'
import { bytesOf } from './statistics.ts'

export function readRetention(db: Connection, query: RetentionQuery, path: string): RetentionFacts {
  const limit = Math.min(query.limit, pageMax)
  const unsettled = JSON.stringify(db.all<{ session: number }>(leaveSql.unsettled).map(({ session }) => session))
  const listed = (sql: string, kind: string) =>
    db
      .all<SessionFacts & { id: number }>(sql, kind, unsettled, query.activeBeforeMs, limit)
      .map((row) => factsOf(db, row))
  const kinds = db.all<Omit<KindFacts, 'idlest' | 'eldest'>>(retentionSql.kinds).map((totals) => ({
    ...totals,
    idlest: listed(retentionSql.idlest, totals.kind),
    eldest: listed(retentionSql.eldest, totals.kind),
  }))
  const { database, free, log, diskFree } = bytesOf(db, path)
  return {
    kinds,
    earlier: db.all<EarlierFacts>(retentionSql.earlier, limit, unsettled),
    archived: archivedBytes(db),
    bytes: { database, free, log, diskFree },
    clock: { newestMs: db.first<{ atMs: number }>(retentionSql.newest)?.atMs ?? 0, notedMs: notedClock(db) },
  }
}

function factsOf(db: Connection, { id, ...facts }: SessionFacts & { id: number }): SessionFacts {
  const numbers = db.all<{ number: number }>(leaveSql.numbers, id)
  return { ...facts, transcripts: numbers.map(({ number }) => number) }
}

function archivedBytes(db: Connection): RetentionFacts['archived'] {
  const archived = { archives: { count: 0, bytes: 0 }, trash: { count: 0, bytes: 0 } }
  for (const { place, count, bytes } of db.all<{ place: ArchivePlace; count: number; bytes: number }>(
    archivedSql.places,
  )) {
    archived[place] = { count, bytes }
  }
  return archived
}

function notedClock(db: Connection): number | null {
  const noted = db.first<{ value: string }>(metaSql.value, 'clock')
  return noted === undefined ? null : (JSON.parse(noted.value) as { atMs: number }).atMs
}

export function listArchived(db: Connection, query: ArchivedQuery): Page<ArchivedTranscript> {
  const limit = Math.min(query.limit, pageMax)
  const [takenMs, id] =
    query.after === undefined ? [Number.MAX_SAFE_INTEGER, 0] : parseCursor('archived', 2, query.after)
  const rows = db.all<Omit<ArchivedTranscript, 'whole'> & { whole: number }>(
    statementFor(query),
    ...[takenMs as number, id as number, query.key ?? null, query.place ?? null, query.sweep ?? null],
    ...[query.expiredAtMs ?? null, limit + 1],
  )
  const items = rows.slice(0, limit).map((row) => ({ ...row, whole: row.whole === 1 }))
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items, next: more ? cursorOf('archived', last.takenAtMs, last.id) : null }
}

/** The one whose index fits the question. */
function statementFor({ key, sweep, expiredAtMs }: ArchivedQuery): string {
  if (key !== undefined) return archivedSql.listOfKey
  if (sweep !== undefined) return archivedSql.listOfSweep
  return expiredAtMs === undefined ? archivedSql.list : archivedSql.listExpired
}
