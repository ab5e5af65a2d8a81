import type { DueJobs } from '../../store/jobs.ts'
import type { Page } from '../../store/page.ts'
import type { Connection } from '../file/connection.ts'
import { cursorOf, parseCursor } from '../file/cursor.ts'
import { type JobRow, jobOf, type StoredJob } from '../file/jobs.ts'
import { jobSql } from '../statements/jobs.ts'
import { pageMax } from './sessions.ts'

export type StoredDueJobs = Omit<DueJobs, 'items'> & { items: StoredJob[] }

export function readJob(db: Connection, id: string): StoredJob | null {
  const row = db.first<JobRow>(jobSql.byId, id)
  return row === undefined ? null : jobOf(row)
}

export function listJobs(db: Connection, query: { limit: number; after?: string }): Page<StoredJob> {
  const limit = Math.min(query.limit, pageMax)
  const [after] = query.after === undefined ? [0] : parseCursor('jobs', 1, query.after)
  const rows = db.all<JobRow>(jobSql.list, after as number, limit + 1)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return {
    items: items.map(jobOf),
    next: rows.length > limit && last !== undefined ? cursorOf('jobs', last.row) : null,
  }
}

export function dueJobs(db: Connection, { atMs, limit }: { atMs: number; limit: number }): StoredDueJobs {
  return {
    items: db.all<JobRow>(jobSql.due, atMs, Math.min(limit, pageMax)).map(jobOf),
    nextAtMs: db.first<{ atMs: number | null }>(jobSql.nextDue, atMs)?.atMs ?? null,
    held: db.first<{ count: number }>(jobSql.held, atMs)?.count ?? 0,
  }
}
