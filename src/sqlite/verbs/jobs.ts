import { HoldfastError } from '../../model/errors.ts'
import { jobInvalid, type Missed } from '../../model/jobs.ts'
import type { MoveJobInput, PutJobInput, StartedJob, StartJobInput } from '../../store/jobs.ts'
import type { Connection } from '../file/connection.ts'
import { type JobRow, jobOf, type StoredJob } from '../file/jobs.ts'
import { jobSql } from '../statements/jobs.ts'
import { admitTurn, type StoredAdmission } from './admit.ts'
import type { Work } from './work.ts'

export type StoredJobPut = Omit<PutJobInput, 'job'> & {
  job: Pick<StoredJob, 'id' | 'agentId' | 'name' | 'schedule' | 'timeZone' | 'missed' | 'content' | 'enabled'>
}
export type StoredJobStart = Omit<StartJobInput, 'admission'> & { admission: StoredAdmission }
export type StoredStartedJob = Omit<StartedJob, 'job'> & { job: StoredJob }

export function putJob(work: Work, { job, nextAtMs, replace, jobsMax, atMs }: StoredJobPut): StoredJob {
  const { db } = work
  const found = db.first<JobRow>(jobSql.byId, job.id)
  const isRepeat = work.again && found?.updatedAtMs === atMs && found.content === job.content
  if (found !== undefined && !replace && !isRepeat) throw jobInvalid(`there is a job "${job.id}" already`)
  work.requireRoom()
  if (found === undefined) {
    const count = db.first<{ count: number }>(jobSql.count)?.count ?? 0
    if (count >= jobsMax) throw new HoldfastError('JOB_LIMIT', { jobs: count })
  }
  db.run(
    found === undefined ? jobSql.add : jobSql.replace,
    ...[job.id, job.agentId, job.name, job.schedule, job.timeZone, job.missed, job.content, Number(job.enabled)],
    ...[atMs, nextAtMs],
  )
  return jobOf(findJob(db, job.id))
}

export function removeJob(work: Work, { id }: { id: string }): void {
  const found = work.db.first<JobRow>(jobSql.byId, id)
  if (found === undefined && work.again) return
  const { row } = findJob(work.db, id)
  work.db.run(jobSql.removeRuns, row)
  work.db.run(jobSql.remove, row)
}

export function switchJob(
  { db }: Work,
  { id, enabled, nextAtMs, atMs }: { id: string; enabled: boolean; nextAtMs: number | null; atMs: number },
): StoredJob {
  db.run(jobSql.switchTo, findJob(db, id).row, Number(enabled), nextAtMs, atMs)
  return jobOf(findJob(db, id))
}

export function moveJob({ db }: Work, { id, expectedNextAtMs, nextAtMs, missed }: MoveJobInput): boolean {
  const found = findJob(db, id)
  if (found.nextAtMs !== expectedNextAtMs) return false
  move(db, found.row, nextAtMs, missed)
  return true
}

export function startJob(work: Work, input: StoredJobStart): StoredStartedJob {
  const { db } = work
  const { due, admission } = input
  const found = findJob(db, input.id)
  const started = due === null ? undefined : db.first<{ turn: string }>(jobSql.runAt, found.row, due.atMs)
  const isRepeat = started?.turn === admission.turnId || found.lastTurnId === admission.turnId
  if (isRepeat) return { job: jobOf(found), turn: admitTurn(work, admission).turn }
  if (due !== null) {
    if (found.nextAtMs !== due.expectedNextAtMs) return { job: jobOf(found), turn: null }
    if (started !== undefined || due.atMs <= found.forgottenAtMs) {
      move(db, found.row, due.nextAtMs, null)
      return { job: jobOf(findJob(db, input.id)), turn: null }
    }
  }
  if (found.lastStatus === 'queued' || found.lastStatus === 'running' || found.lastStatus === 'interrupted') {
    throw new HoldfastError('JOB_RUNNING', { job: input.id, turnId: found.lastTurnId })
  }
  const { turn } = admitTurn(work, admission)
  db.run(jobSql.started, found.row, turn.id, admission.atMs, due?.atMs ?? null)
  if (due !== null) {
    move(db, found.row, due.nextAtMs, due.missed)
    remember(db, found.row, due.atMs, turn.id, input.runsKept)
  }
  return { job: jobOf(findJob(db, input.id)), turn }
}

/** @throws HoldfastError JOB_NOT_FOUND */
function findJob(db: Connection, id: string): JobRow {
  const found = db.first<JobRow>(jobSql.byId, id)
  if (found === undefined) throw new HoldfastError('JOB_NOT_FOUND', { job: id })
  return found
}

function move(db: Connection, row: number, nextAtMs: number | null, missed: Missed | null): void {
  db.run(jobSql.move, row, nextAtMs, missed?.count ?? 0, missed === null ? null : JSON.stringify(missed))
}

function remember(db: Connection, row: number, dueAtMs: number, turnId: string, runsKept: number): void {
  db.run(jobSql.addRun, row, dueAtMs, turnId)
  const beyond = db.first<{ dueMs: number }>(jobSql.forgettable, row, runsKept)
  if (beyond === undefined) return
  db.run(jobSql.forgetRuns, row, beyond.dueMs)
  db.run(jobSql.forget, row, beyond.dueMs)
}
