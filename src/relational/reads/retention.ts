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
import { cursorOf, parseCursor } from '../rows/cursor.ts'
import { archivedSql, leaveSql, retentionSql } from '../statements/archives.ts'
import { metaSql } from '../statements/upkeep.ts'
import { all, first, type Steps } from '../steps.ts'
import type { Place } from './place.ts'
import { pageMax } from './sessions.ts'

export function* readRetention(query: RetentionQuery, place: Place): Steps<RetentionFacts> {
  const limit = Math.min(query.limit, pageMax)
  const unsettled = JSON.stringify((yield* all<{ session: number }>(leaveSql.unsettled)).map(({ session }) => session))
  const kinds: KindFacts[] = []
  for (const totals of yield* all<Omit<KindFacts, 'idlest' | 'eldest'>>(retentionSql.kinds)) {
    const about = [totals.kind, unsettled, query.activeBeforeMs, limit] as const
    const idlest = yield* sessionsOf(retentionSql.idlest, about)
    kinds.push({ ...totals, idlest, eldest: yield* sessionsOf(retentionSql.eldest, about) })
  }
  const { database, free, log, diskFree } = yield* place.bytes()
  return {
    kinds,
    earlier: yield* all<EarlierFacts>(retentionSql.earlier, limit, unsettled),
    archived: yield* archivedBytes(),
    bytes: { database, free, log, diskFree },
    clock: { newestMs: (yield* first<{ atMs: number }>(retentionSql.newest))?.atMs ?? 0, notedMs: yield* notedClock() },
  }
}

function* sessionsOf(sql: string, about: readonly (string | number)[]): Steps<SessionFacts[]> {
  const facts: SessionFacts[] = []
  for (const row of yield* all<SessionFacts & { id: number }>(sql, ...about)) facts.push(yield* factsOf(row))
  return facts
}

function* factsOf({ id, ...facts }: SessionFacts & { id: number }): Steps<SessionFacts> {
  const numbers = yield* all<{ number: number }>(leaveSql.numbers, id)
  return { ...facts, transcripts: numbers.map(({ number }) => number) }
}

function* archivedBytes(): Steps<RetentionFacts['archived']> {
  const archived = { archives: { count: 0, bytes: 0 }, trash: { count: 0, bytes: 0 } }
  for (const { place, count, bytes } of yield* all<{ place: ArchivePlace; count: number; bytes: number }>(
    archivedSql.places,
  )) {
    archived[place] = { count, bytes }
  }
  return archived
}

function* notedClock(): Steps<number | null> {
  const noted = yield* first<{ value: string }>(metaSql.value, 'clock')
  return noted === undefined ? null : (JSON.parse(noted.value) as { atMs: number }).atMs
}

export function* listArchived(query: ArchivedQuery): Steps<Page<ArchivedTranscript>> {
  const limit = Math.min(query.limit, pageMax)
  const [takenMs, id] =
    query.after === undefined ? [Number.MAX_SAFE_INTEGER, 0] : parseCursor('archived', 2, query.after)
  const rows = yield* all<Omit<ArchivedTranscript, 'whole'> & { whole: number }>(
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
