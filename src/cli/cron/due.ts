import type { Job } from '../../model/jobs.ts'
import { moment } from '../print/words.ts'

/** `2026-11-22 06:00:00Z (07:00:00 Europe/Vienna)`; in UTC alone for a job of that zone. */
export function dueText({ nextAtMs, timeZone }: Pick<Job, 'nextAtMs' | 'timeZone'>): string {
  if (nextAtMs === null) return 'no time'
  if (timeZone === 'UTC') return moment(nextAtMs)
  const there = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' }).format(nextAtMs)
  return `${moment(nextAtMs)} (${there} ${timeZone})`
}
