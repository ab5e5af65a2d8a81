import type { Job, Missed } from '../../model/jobs.ts'

type Content = 'messages' | 'instructions' | 'params' | 'deliverTo'

/** A job, whose `content` is the JSON of what its turns are made of. */
export type StoredJob = Omit<Job, Content> & { content: string }

export interface JobRow extends Omit<StoredJob, 'enabled' | 'lastMissed'> {
  row: number
  enabled: number
  /** JSON. */
  lastMissed: string | null
}

export function jobOf({ row, enabled, lastMissed, ...job }: JobRow): StoredJob {
  return {
    ...job,
    enabled: enabled === 1,
    lastMissed: lastMissed === null ? null : (JSON.parse(lastMissed) as Missed),
  }
}
