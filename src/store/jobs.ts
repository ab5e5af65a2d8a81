import type { Job, JobSpec, Missed } from '../model/jobs.ts'
import type { Turn } from '../model/turns.ts'
import type { Page } from './page.ts'
import type { AdmitInput } from './turns.ts'

export interface JobVerbs {
  /**
   * Afterwards the job is there as given. With `replace` one that has its id is changed, and keeps what is known of its runs;
   * without, it is refused. @throws JOB_INVALID (the id is taken), JOB_LIMIT
   */
  putJob(input: PutJobInput): Promise<Job>
  /** Its runs, and their sessions, stay. @throws JOB_NOT_FOUND */
  removeJob(input: { id: string }): Promise<void>
  readJob(id: string): Promise<Job | null>
  /** In the order in which they were made, by keyset. @throws CURSOR_INVALID */
  listJobs(query: { limit: number; after?: string }): Promise<Page<Job>>
  /** On, it is next due at `nextAtMs`; off, that is null and nothing is missed. @throws JOB_NOT_FOUND */
  switchJob(input: { id: string; enabled: boolean; nextAtMs: number | null; atMs: number }): Promise<Job>
  /** Jobs that are due and whose last run has ended, the longest due first, and when the next of the others is due. */
  dueJobs(query: { atMs: number; limit: number }): Promise<DueJobs>
  /** Sets when the job is next due, without a run. False: it was changed since `expectedNextAtMs` was read. @throws JOB_NOT_FOUND */
  moveJob(input: MoveJobInput): Promise<boolean>
  /**
   * One run: admits its turn in a session of its own and sets when the job is next due, in one step. A due time is started
   * once, however often and by whom it is asked for; then, or when the job was changed since `expectedNextAtMs` was read, there is
   * no turn. @throws JOB_NOT_FOUND, JOB_RUNNING (the turn of its last run has not ended), QUEUE_FULL
   */
  startJob(input: StartJobInput): Promise<StartedJob>
}

export interface PutJobInput {
  job: JobSpec
  /** Null exactly when it is switched off. */
  nextAtMs: number | null
  replace: boolean
  /** Jobs that there may be. */
  jobsMax: number
  atMs: number
}

export interface DueJobs {
  items: Job[]
  /** The next due time after `atMs`; null when there is none. */
  nextAtMs: number | null
  /** Jobs that are due and wait for the end of their last run. */
  held: number
}

export interface MoveJobInput {
  id: string
  expectedNextAtMs: number
  nextAtMs: number | null
  missed: Missed | null
}

export interface StartJobInput {
  id: string
  /** Which due time this run is for; null: it is started by hand, and nothing but the last run changes. */
  due: { atMs: number; expectedNextAtMs: number; nextAtMs: number | null; missed: Missed | null } | null
  /** Due times whose start is remembered for each job, at least 1; older ones count as started. */
  runsKept: number
  /** Its turn, in the session `runKeyOf(job, turnId)`. */
  admission: AdmitInput
}

export interface StartedJob {
  job: Job
  turn: Turn | null
}
