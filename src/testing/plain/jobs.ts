import { HoldfastError } from '../../model/errors.ts'
import { type Job, jobInvalid, type Missed } from '../../model/jobs.ts'
import { isSettled } from '../../model/turns.ts'
import type { JobVerbs, StartedJob, StartJobInput } from '../../store/jobs.ts'
import { admitTurn } from './admissions.ts'
import { pageOf } from './pages.ts'
import type { PlainJob, PlainState } from './state.ts'
import type { Sync } from './verbs.ts'

export const jobVerbs = (state: PlainState): Sync<JobVerbs> => ({
  putJob: ({ job, nextAtMs, replace, jobsMax, atMs }) => {
    const found = state.jobs.get(job.id)
    if (found !== undefined && !replace) throw jobInvalid('it is there already')
    if (found === undefined && state.jobs.size >= jobsMax) throw new HoldfastError('JOB_LIMIT')
    state.ids += 1
    const put = found ?? { facts: { ...neverRun, ...job, ...datedAt(atMs) }, order: state.ids, runs: new Map() }
    Object.assign(put.facts, job, { nextAtMs, updatedAtMs: atMs })
    state.jobs.set(job.id, put)
    return viewOf(state, put)
  },
  removeJob: ({ id }) => {
    jobAt(state, id)
    state.jobs.delete(id)
  },
  readJob: (id) => {
    const found = state.jobs.get(id)
    return found === undefined ? null : viewOf(state, found)
  },
  listJobs: (query) => {
    const { items, next } = pageOf(inOrder(state), ({ order }) => [order], query)
    return { items: items.map((job) => viewOf(state, job)), next }
  },
  switchJob: ({ id, enabled, nextAtMs, atMs }) => {
    const job = jobAt(state, id)
    Object.assign(job.facts, { enabled, nextAtMs, updatedAtMs: atMs })
    return viewOf(state, job)
  },
  dueJobs: ({ atMs, limit }) => {
    const jobs = inOrder(state)
    const due = jobs.filter(({ facts }) => facts.nextAtMs !== null && facts.nextAtMs <= atMs)
    const free = due.filter((job) => !isRunning(state, job))
    const later = jobs.flatMap(({ facts: { nextAtMs } }) => (nextAtMs !== null && nextAtMs > atMs ? [nextAtMs] : []))
    const longestFirst = free.toSorted((one, other) => (one.facts.nextAtMs ?? 0) - (other.facts.nextAtMs ?? 0))
    return {
      items: longestFirst.slice(0, limit).map((job) => viewOf(state, job)),
      nextAtMs: later.length === 0 ? null : Math.min(...later),
      held: due.length - free.length,
    }
  },
  moveJob: ({ id, expectedNextAtMs, nextAtMs, missed }) => {
    const job = jobAt(state, id)
    if (job.facts.nextAtMs !== expectedNextAtMs) return false
    move(job, nextAtMs, missed)
    return true
  },
  startJob: (input) => startJob(state, input),
})

const neverRun = {
  lastDueAtMs: null,
  lastStartedAtMs: null,
  lastTurnId: null,
  missedTotal: 0,
  lastMissed: null,
  forgottenAtMs: 0,
}
const datedAt = (atMs: number) => ({ createdAtMs: atMs, updatedAtMs: atMs, nextAtMs: null as number | null })

function startJob(state: PlainState, { id, due, runsKept, admission }: StartJobInput): StartedJob {
  const job = jobAt(state, id)
  const { facts, runs } = job
  const started = due === null ? undefined : runs.get(due.atMs)
  const again = [started, facts.lastTurnId].includes(admission.turnId)
  if (again) return { job: viewOf(state, job), turn: admitTurn(state, admission).turn }
  if (due !== null && facts.nextAtMs !== due.expectedNextAtMs) return { job: viewOf(state, job), turn: null }
  if (due !== null && (started !== undefined || due.atMs <= facts.forgottenAtMs)) {
    move(job, due.nextAtMs, null)
    return { job: viewOf(state, job), turn: null }
  }
  if (isRunning(state, job)) throw new HoldfastError('JOB_RUNNING', { job: id, turnId: facts.lastTurnId })
  const { turn } = admitTurn(state, admission)
  Object.assign(facts, { lastTurnId: turn.id, lastStartedAtMs: admission.atMs })
  if (due !== null) {
    move(job, due.nextAtMs, due.missed)
    facts.lastDueAtMs = due.atMs
    runs.set(due.atMs, turn.id)
    const beyond = [...runs.keys()].toSorted((one, other) => other - one).slice(runsKept)
    for (const dueAtMs of beyond) runs.delete(dueAtMs)
    facts.forgottenAtMs = Math.max(facts.forgottenAtMs, ...beyond)
  }
  return { job: viewOf(state, job), turn }
}

function jobAt(state: PlainState, id: string): PlainJob {
  const found = state.jobs.get(id)
  if (found === undefined) throw new HoldfastError('JOB_NOT_FOUND', { job: id })
  return found
}

const inOrder = (state: PlainState) => [...state.jobs.values()].toSorted((one, other) => one.order - other.order)

function statusOf(state: PlainState, { facts }: PlainJob) {
  return state.turns.find((turn) => turn.facts.id === facts.lastTurnId)?.facts.status ?? null
}

function isRunning(state: PlainState, job: PlainJob): boolean {
  const status = statusOf(state, job)
  return status !== null && !isSettled(status)
}

const viewOf = (state: PlainState, job: PlainJob): Job => ({ ...job.facts, lastStatus: statusOf(state, job) })

function move({ facts }: PlainJob, nextAtMs: number | null, missed: Missed | null): void {
  facts.nextAtMs = nextAtMs
  facts.missedTotal += missed?.count ?? 0
  facts.lastMissed = missed ?? facts.lastMissed
}
