import { parseSchedule } from '../cron/schedule.ts'
import { randomId, timedId } from '../host/random.ts'
import { HoldfastError, isHoldfastError } from '../model/errors.ts'
import {
  type Job,
  type JobSpec,
  jobIdFrom,
  jobInvalid,
  type MissedPolicy,
  missedPolicies,
  parseJobId,
  runKeyOf,
  sourceOfJob,
} from '../model/jobs.ts'
import type { StartedJob, StartJobInput } from '../store/jobs.ts'
import type { Ground } from './ground.ts'
import { isTimeZone, roomTokens } from './settings.ts'
import { admissionOf } from './turns/admit.ts'
import { type Ask, readAsk, type SubmitInput } from './turns/ask.ts'

/** What a caller gives to have turns started by the clock. */
export interface JobInput extends Pick<SubmitInput, 'messages' | 'instructions' | 'params' | 'deliverTo'> {
  /** Made from the name when absent. */
  id?: string
  /** For people; at most 200 characters. */
  name: string
  /** 5 fields, 6 that begin with the second, or `@daily` and the like. */
  schedule: string
  /** UTC when absent. */
  timeZone?: string
  /** `once` when absent. */
  missed?: MissedPolicy
  /** `main` when absent. */
  agentId?: string
  enabled?: boolean
  /** Take the place of the job that has this id. */
  replace?: boolean
}

const nameLengthMax = 200
/** A job is a prompt. Lists of jobs are read whole, a page at a time. */
const contentMaxBytes = 64 * 1024
/** Due times whose start is remembered for each job: a quarter of an hour for one that is due every second. */
const runsKept = 1_000

/** Scheduled jobs, as their owners see them. */
export class Jobs {
  readonly #ground: Ground
  readonly #changed: () => void
  readonly #admitted: () => void

  /** `changed`: other times are due now. `admitted`: a turn waits. */
  constructor(ground: Ground, changed: () => void, admitted: () => void) {
    this.#ground = ground
    this.#changed = changed
    this.#admitted = admitted
  }

  /** @throws HoldfastError JOB_INVALID, JOB_LIMIT, CONTEXT_TOO_LARGE */
  async put(input: JobInput): Promise<Job> {
    const { store, clock, settings } = this.#ground
    const atMs = clock.nowMs()
    const job = specOf(input, await this.#idFor(input))
    checkRoom(readJobAsk(job), roomTokens(settings.context))
    const schedule = parseSchedule(job.schedule, job.timeZone, atMs)
    const nextAtMs = job.enabled ? schedule.after(atMs) : null
    const { jobsMax } = settings.cron
    const put = await store.putJob({ job, nextAtMs, replace: input.replace === true, jobsMax, atMs })
    this.#changed()
    return put
  }

  /** Its runs stay, also one that is going. @throws HoldfastError JOB_NOT_FOUND */
  async remove(id: string): Promise<void> {
    await this.#ground.store.removeJob({ id })
  }

  /** @throws HoldfastError JOB_NOT_FOUND */
  async read(id: string): Promise<Job> {
    const job = await this.#ground.store.readJob(id)
    if (job === null) throw new HoldfastError('JOB_NOT_FOUND', { job: id })
    return job
  }

  /** Off, nothing is due and nothing is missed; on, it is next due from now on. @throws HoldfastError JOB_NOT_FOUND, JOB_INVALID */
  async switch(id: string, enabled: boolean): Promise<Job> {
    const { store, clock } = this.#ground
    const { schedule, timeZone } = await this.read(id)
    const atMs = clock.nowMs()
    const nextAtMs = enabled ? parseSchedule(schedule, timeZone, atMs).after(atMs) : null
    const job = await store.switchJob({ id, enabled, nextAtMs, atMs })
    this.#changed()
    return job
  }

  /** A run now, besides those that are due; also of a job that is switched off. @throws HoldfastError JOB_NOT_FOUND, JOB_RUNNING, QUEUE_FULL */
  async run(id: string): Promise<StartedJob> {
    const started = await startRun(this.#ground, await this.read(id), null)
    this.#admitted()
    return started
  }

  async #idFor({ id, name }: JobInput): Promise<string> {
    if (id !== undefined) return parseJobId(id)
    const made = jobIdFrom(String(name))
    const taken = (await this.#ground.store.readJob(made)) !== null
    return parseJobId(taken ? `${made}-${randomId().slice(0, 4)}` : made)
  }
}

/** Admits one run of the job and tells of it. @throws HoldfastError what `startJob` of the store throws */
export async function startRun(ground: Ground, job: Job, due: StartJobInput['due']): Promise<StartedJob> {
  const atMs = ground.clock.nowMs()
  const turnId = timedId(atMs)
  const { requestTokens, replaced, ...ask } = readJobAsk(job, turnId)
  const admission = { ...admissionOf(ground, ask, requestTokens, atMs), turnId }
  const started = await ground.store.startJob({ id: job.id, due, runsKept, admission })
  if (started.turn !== null) {
    const { sessionKey } = started.turn
    ground.events.publish({ type: 'job.started', jobId: job.id, sessionKey, turnId, dueAtMs: due?.atMs ?? null })
    ground.events.publish({ type: 'turn.admitted', sessionKey, turnId, coalesced: false })
  }
  return started
}

/** @throws HoldfastError JOB_INVALID */
function specOf(input: JobInput, id: string): JobSpec {
  const { name, schedule, timeZone = 'UTC', missed = 'once', agentId = 'main', enabled = true } = input
  const { messages, instructions = [], params = {}, deliverTo = [] } = input
  demand(
    typeof name === 'string' && name.trim() !== '' && name.length <= nameLengthMax,
    'a name has 1 to 200 characters',
  )
  demand(typeof schedule === 'string', 'there is no schedule')
  demand(isTimeZone(timeZone), `there is no time zone "${timeZone}"`)
  demand(missedPolicies.includes(missed), `missed must be one of ${missedPolicies.join(', ')}`)
  const said = typeof messages === 'string' ? [{ role: 'user' as const, content: messages }] : messages
  const given = { messages: said, instructions, params, deliverTo }
  const spec = { id, agentId, name: name.trim(), schedule: schedule.trim(), timeZone, missed, enabled }
  const { messages: clean, request } = readJobAsk({ ...spec, ...given })
  const content = {
    messages: clean,
    instructions: request.instructions,
    params: request.params,
    deliverTo: request.deliverTo ?? [],
  }
  const bytes = Buffer.byteLength(JSON.stringify(content))
  demand(bytes <= contentMaxBytes, `messages, instructions and params together may have ${contentMaxBytes} bytes`)
  return { ...spec, ...content }
}

/** As long as the id of every run: a key that is too long is found when the job is made. */
const anyTurnId = timedId(0)

function readJobAsk(job: JobSpec, turnId = anyTurnId): Ask {
  const { messages, instructions, params, deliverTo, id } = job
  try {
    const key = runKeyOf(job, turnId)
    return readAsk({ key, messages, instructions, params, deliverTo, lane: 'cron', source: sourceOfJob(id) })
  } catch (error) {
    if (isHoldfastError(error, 'SESSION_KEY_INVALID')) throw jobInvalid(`"${job.agentId}" cannot be an agent`)
    if (isHoldfastError(error, 'REQUEST_INVALID')) throw jobInvalid(String(error.facts.because))
    throw error
  }
}

function checkRoom({ tokens, requestTokens }: Ask, room: number): void {
  const needed = tokens.reduce((sum, each) => sum + each, requestTokens)
  if (needed > room) throw new HoldfastError('CONTEXT_TOO_LARGE', { tokens: needed, roomTokens: room })
}

function demand(holds: boolean, because: string): void {
  if (!holds) throw jobInvalid(because)
}
