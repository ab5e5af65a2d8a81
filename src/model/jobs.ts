import { HoldfastError } from './errors.ts'
import { kindOf, parseSessionKey, type SessionKey } from './keys.ts'
import type { Message, SystemMessage } from './messages.ts'
import type { TurnStatus } from './turns.ts'

/**
 * What becomes of due times that passed while nothing could start. `skip`: they are lost. `once`: one run stands for all of
 * them. `all`: one run for each, one after another, up to a limit.
 */
export const missedPolicies = ['skip', 'once', 'all'] as const
export type MissedPolicy = (typeof missedPolicies)[number]

/** A turn that starts by the clock, as its owner describes it. */
export interface JobSpec {
  /** Letters, digits, `_` and `-`, lower case; at most 64 characters. A segment of the session keys of its runs. */
  id: string
  agentId: string
  name: string
  /** A cron expression of 5 fields, or of 6 that begin with the second. */
  schedule: string
  /** The IANA name of the zone that the expression is read in. */
  timeZone: string
  missed: MissedPolicy
  messages: Message[]
  instructions: SystemMessage[]
  params: Record<string, unknown>
  deliverTo: string[]
  enabled: boolean
}

export interface Job extends JobSpec {
  createdAtMs: number
  /** When its owner changed it last. */
  updatedAtMs: number
  /** The next due time that has not been dealt with; it may have passed. Null while it is switched off. */
  nextAtMs: number | null
  /** The due time of the last run that the clock started. */
  lastDueAtMs: number | null
  /** Of the last run, whoever started it. The turn's id ends the key of its session. */
  lastStartedAtMs: number | null
  lastTurnId: string | null
  /** How that turn is now; null when there was none, or it is no longer in the store. */
  lastStatus: TurnStatus | null
  /** Due times that no run was made for, since the job was made; gaps beyond counting count as their bound. */
  missedTotal: number
  lastMissed: Missed | null
  /** Due times up to here count as started, because which of them were is no longer known; 0 while all are known. */
  forgottenAtMs: number
}

/** Due times that no run of their own is made for. */
export interface Missed {
  count: number
  /** The first and the last of them. */
  fromMs: number
  untilMs: number
  because: string
}

const jobIdPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/

/** @throws HoldfastError JOB_INVALID */
export function parseJobId(text: string): string {
  if (!jobIdPattern.test(text)) {
    throw jobInvalid('an id has 1 to 64 characters of a-z, 0-9, _ and -, and begins with a letter or digit')
  }
  if (kindOf(runKeyOf({ agentId: 'main', id: text }, 'x')) !== 'cron-run') {
    throw jobInvalid(`the id "${text}" means another kind of session`)
  }
  return text
}

/** What an id is made from when none is given: `Morning report!` → `morning-report`. */
export function jobIdFrom(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{Mark}/gu, '')
  const id = words
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  return jobIdPattern.test(id) ? id : 'job'
}

/** The session of one run. @throws HoldfastError SESSION_KEY_INVALID */
export function runKeyOf({ agentId, id }: Pick<JobSpec, 'agentId' | 'id'>, turnId: string): SessionKey {
  return parseSessionKey(`agent:${agentId}:cron:${id}:run:${turnId}`)
}

/** Who sends the turns of a job, as quotas and metrics see it. */
export const sourceOfJob = (id: string): string => `cron:${id}`.slice(0, 64)

export function jobInvalid(because: string): HoldfastError {
  return new HoldfastError('JOB_INVALID', { because })
}
