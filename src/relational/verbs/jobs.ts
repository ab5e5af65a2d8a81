import { HoldfastError } from '../../model/errors.ts'
import { jobInvalid, type Missed } from '../../model/jobs.ts'
import type { MoveJobInput, PutJobInput, StartedJob, StartJobInput } from '../../store/jobs.ts'
import { type JobRow, jobOf, type StoredJob } from '../rows/jobs.ts'
import { jobSql } from '../statements/jobs.ts'
import { first, type Steps, write } from '../steps.ts'
import { admitTurn, type StoredAdmission } from './admit.ts'
import type { Work } from './work.ts'

export type StoredJobPut = Omit<PutJobInput, 'job'> & {
  job: Pick<StoredJob, 'id' | 'agentId' | 'name' | 'schedule' | 'timeZone' | 'missed' | 'content' | 'enabled'>
}
export type StoredJobStart = Omit<StartJobInput, 'admission'> & { admission: StoredAdmission }
export type StoredStartedJob = Omit<StartedJob, 'job'> & { job: StoredJob }

export function* putJob(work: Work, { job, nextAtMs, replace, jobsMax, atMs }: StoredJobPut): Steps<StoredJob> {
  const found = yield* first<JobRow>(jobSql.byId, job.id)
  const isRepeat = work.again && found?.updatedAtMs === atMs && found.content === job.content
  if (found !== undefined && !replace && !isRepeat) throw jobInvalid(`there is a job "${job.id}" already`)
  work.requireRoom()
  if (found === undefined) {
    const count = (yield* first<{ count: number }>(jobSql.count))?.count ?? 0
    if (count >= jobsMax) throw new HoldfastError('JOB_LIMIT', { jobs: count })
  }
  yield* write(
    found === undefined ? jobSql.add : jobSql.replace,
    ...[job.id, job.agentId, job.name, job.schedule, job.timeZone, job.missed, job.content, Number(job.enabled)],
    ...[atMs, nextAtMs],
  )
  return jobOf(yield* findJob(job.id))
}

export function* removeJob(work: Work, { id }: { id: string }): Steps<void> {
  const found = yield* first<JobRow>(jobSql.byId, id)
  if (found === undefined && work.again) return
  const { row } = yield* findJob(id)
  yield* write(jobSql.removeRuns, row)
  yield* write(jobSql.remove, row)
}

export function* switchJob(
  _work: Work,
  { id, enabled, nextAtMs, atMs }: { id: string; enabled: boolean; nextAtMs: number | null; atMs: number },
): Steps<StoredJob> {
  yield* write(jobSql.switchTo, (yield* findJob(id)).row, Number(enabled), nextAtMs, atMs)
  return jobOf(yield* findJob(id))
}

export function* moveJob(_work: Work, { id, expectedNextAtMs, nextAtMs, missed }: MoveJobInput): Steps<boolean> {
  const found = yield* findJob(id)
  if (found.nextAtMs !== expectedNextAtMs) return false
  yield* move(found.row, nextAtMs, missed)
  return true
}

export function* startJob(work: Work, input: StoredJobStart): Steps<StoredStartedJob> {
  const { due, admission } = input
  const found = yield* findJob(input.id)
  const started = due === null ? undefined : yield* first<{ turn: string }>(jobSql.runAt, found.row, due.atMs)
  const isRepeat = started?.turn === admission.turnId || found.lastTurnId === admission.turnId
  if (isRepeat) return { job: jobOf(found), turn: (yield* admitTurn(work, admission)).turn }
  if (due !== null) {
    if (found.nextAtMs !== due.expectedNextAtMs) return { job: jobOf(found), turn: null }
    if (started !== undefined || due.atMs <= found.forgottenAtMs) {
      yield* move(found.row, due.nextAtMs, null)
      return { job: jobOf(yield* findJob(input.id)), turn: null }
    }
  }
  if (found.lastStatus === 'queued' || found.lastStatus === 'running' || found.lastStatus === 'interrupted') {
    throw new HoldfastError('JOB_RUNNING', { job: input.id, turnId: found.lastTurnId })
  }
  const { turn } = yield* admitTurn(work, admission)
  yield* write(jobSql.started, found.row, turn.id, admission.atMs, due?.atMs ?? null)
  if (due !== null) {
    yield* move(found.row, due.nextAtMs, due.missed)
    yield* remember(found.row, due.atMs, turn.id, input.runsKept)
  }
  return { job: jobOf(yield* findJob(input.id)), turn }
}

/** @throws HoldfastError JOB_NOT_FOUND */
function* findJob(id: string): Steps<JobRow> {
  const found = yield* first<JobRow>(jobSql.byId, id)
  if (found === undefined) throw new HoldfastError('JOB_NOT_FOUND', { job: id })
  return found
}

function* move(row: number, nextAtMs: number | null, missed: Missed | null): Steps<void> {
  yield* write(jobSql.move, row, nextAtMs, missed?.count ?? 0, missed === null ? null : JSON.stringify(missed))
}

function* remember(row: number, dueAtMs: number, turnId: string, runsKept: number): Steps<void> {
  yield* write(jobSql.addRun, row, dueAtMs, turnId)
  const beyond = yield* first<{ dueMs: number }>(jobSql.forgettable, row, runsKept)
  if (beyond === undefined) return
  yield* write(jobSql.forgetRuns, row, beyond.dueMs)
  yield* write(jobSql.forget, row, beyond.dueMs)
}
