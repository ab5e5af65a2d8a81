import type { DueJobs } from '../../store/jobs.ts'
import type { Page } from '../../store/page.ts'
import { cursorOf, parseCursor } from '../rows/cursor.ts'
import { type JobRow, jobOf, type StoredJob } from '../rows/jobs.ts'
import { jobSql } from '../statements/jobs.ts'
import { all, first, type Steps } from '../steps.ts'
import { pageMax } from './sessions.ts'

export type StoredDueJobs = Omit<DueJobs, 'items'> & { items: StoredJob[] }

export function* readJob(id: string): Steps<StoredJob | null> {
  const row = yield* first<JobRow>(jobSql.byId, id)
  return row === undefined ? null : jobOf(row)
}

export function* listJobs(query: { limit: number; after?: string }): Steps<Page<StoredJob>> {
  const limit = Math.min(query.limit, pageMax)
  const [after] = query.after === undefined ? [0] : parseCursor('jobs', 1, query.after)
  const rows = yield* all<JobRow>(jobSql.list, after as number, limit + 1)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return {
    items: items.map(jobOf),
    next: rows.length > limit && last !== undefined ? cursorOf('jobs', last.row) : null,
  }
}

export function* dueJobs({ atMs, limit }: { atMs: number; limit: number }): Steps<StoredDueJobs> {
  return {
    items: (yield* all<JobRow>(jobSql.due, atMs, Math.min(limit, pageMax))).map(jobOf),
    nextAtMs: (yield* first<{ atMs: number | null }>(jobSql.nextDue, atMs))?.atMs ?? null,
    held: (yield* first<{ count: number }>(jobSql.held, atMs))?.count ?? 0,
  }
}
