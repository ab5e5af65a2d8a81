import type { Job } from '../model/jobs.ts'
import type { SessionKey } from '../model/keys.ts'
import { type Session, sessionStates } from '../model/sessions.ts'
import { dropUnfinished } from '../store/carry/put.ts'
import type { Store } from '../store/port.ts'
import { type CopiedJob, type CopiedSession, type CopyReport, totalsOf } from './report.ts'
import { type CopyGround, copyOrigin, copySession } from './session.ts'

export interface CopyAsked {
  /** Only these; empty: all. */
  keys: readonly SessionKey[]
  /** Ends it after the session that is under way. */
  signal: AbortSignal
}

/** Told of each session when it is done: how many, of how many. */
export type Told = (session: CopiedSession, done: number, of: number) => void

const pageSize = 500

/**
 * Brings sessions and scheduled jobs from one store into another, whichever databases they are in, and compares what it wrote record by
 * record. The source is only read. Can be broken off at any moment: the same call again goes on from there, and ends the same.
 * @throws HoldfastError every STORE_ code
 */
export async function copyStore(ground: CopyGround, asked: CopyAsked, told: Told): Promise<CopyReport> {
  const { from, to, dryRun } = ground
  const chosen = await sessionsOf(from, asked.keys)
  const sessions: CopiedSession[] = []
  for (const session of chosen) {
    if (asked.signal.aborted) break
    const copied = await copySession(session, ground)
    sessions.push(copied)
    told(copied, sessions.length, chosen.length)
  }
  const stopped = asked.signal.aborted
  const jobs = stopped || asked.keys.length > 0 ? [] : await copyJobs(ground)
  if (!stopped && to !== null && !dryRun) await dropUnfinished(to, copyOrigin)
  const { archived } = await from.readRetention({ limit: 1, activeBeforeMs: 0 })
  return {
    ...{ dryRun, stopped, sessions, jobs },
    archived: archived.archives.count,
    totals: totalsOf(sessions),
  }
}

/** Least recently used first: who stops early has the rest still to come in the order of use. */
async function sessionsOf(from: Store, keys: readonly SessionKey[]): Promise<Session[]> {
  const sessions: Session[] = []
  for (const state of sessionStates) {
    for (let after: string | undefined; ; ) {
      const page = await from.listSessions({ limit: pageSize, state, ...(after === undefined ? {} : { after }) })
      sessions.push(...page.items.filter(({ key }) => keys.length === 0 || keys.includes(key)))
      if (page.next === null) break
      after = page.next
    }
  }
  return sessions.sort((one, other) => one.activeAtMs - other.activeAtMs)
}

async function copyJobs(ground: CopyGround): Promise<CopiedJob[]> {
  const jobs: CopiedJob[] = []
  for (let after: string | undefined; ; ) {
    const page = await ground.from.listJobs({ limit: pageSize, ...(after === undefined ? {} : { after }) })
    for (const job of page.items) jobs.push(await copyJob(job, ground))
    if (page.next === null) return jobs
    after = page.next
  }
}

/** It is due over there when it would have been here; its earlier runs are sessions like others. */
async function copyJob(job: Job, { to, dryRun, nowMs }: CopyGround): Promise<CopiedJob> {
  const { id, nextAtMs } = job
  const there = to === null ? null : await to.readJob(id)
  if (there !== null) {
    const same = specOf(there) === specOf(job)
    return { id, state: same ? 'present' : 'left', because: same ? null : 'another job has this id over there' }
  }
  if (to !== null && !dryRun) {
    await to.putJob({ job: jobSpec(job), nextAtMs, replace: false, jobsMax: Number.MAX_SAFE_INTEGER, atMs: nowMs })
  }
  return { id, state: 'copied', because: null }
}

function jobSpec({ id, agentId, name, schedule, timeZone, missed, messages, ...job }: Job) {
  const { instructions, params, deliverTo, enabled } = job
  return { id, agentId, name, schedule, timeZone, missed, messages, instructions, params, deliverTo, enabled }
}

const specOf = (job: Job): string => JSON.stringify(jobSpec(job))
