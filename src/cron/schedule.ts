import { Cron } from 'croner'
import { jobInvalid } from '../model/jobs.ts'

/** When a job is due: a pure function of time, made from its expression and its zone. Milliseconds since the epoch. */
export interface Schedule {
  /** The first due time after `atMs`; null when there is none. */
  after(atMs: number): number | null
  /** The last due times up to and with `atMs`, newest first, at most `max`. */
  upTo(atMs: number, max: number): number[]
}

/** Longer ones are lists that a shorter expression says as well. */
const expressionLengthMax = 255

const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly']

/**
 * Reads a cron expression: 5 fields, 6 that begin with the second, or `@daily` and the like. A time that the zone leaves
 * out in spring is due when the clock has jumped; one that comes twice in autumn is due the first time, and a pattern such as
 * "every half hour" goes on through both. @throws HoldfastError JOB_INVALID, also when it is never due after `nowMs`
 */
export function parseSchedule(expression: string, timeZone: string, nowMs: number): Schedule {
  const schedule = readSchedule(expression, timeZone)
  if (schedule.after(nowMs) === null) throw jobInvalid(`the schedule "${expression.trim()}" is never due`)
  return schedule
}

/** The same for one that was due once. @throws HoldfastError JOB_INVALID */
export function readSchedule(expression: string, timeZone: string): Schedule {
  const text = expression.trim()
  if (text.length > expressionLengthMax)
    throw jobInvalid(`the schedule has more than ${expressionLengthMax} characters`)
  const fields = text.split(/\s+/)
  // croner would also take dates, years and what only a start of the process can mean
  const isCron = fields.length === 5 || fields.length === 6
  if (!isCron && !nicknames.includes(text)) {
    throw jobInvalid(`the schedule "${text}" is neither 5 or 6 fields nor one of ${nicknames.join(', ')}`)
  }
  return scheduleOf(cronOf(text, timeZone))
}

function cronOf(text: string, timeZone: string): Cron {
  try {
    const cron = new Cron(text, { timezone: timeZone, mode: '5-or-6-parts' })
    cron.nextRun(new Date(0)) // the zone is looked at only here
    return cron
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error
    const said = error.message.replace(/^Cron\w+: /, '')
    if (said.includes('timezone')) throw jobInvalid(`there is no time zone "${timeZone}"`)
    throw jobInvalid(`the schedule "${text}" cannot be read: ${said}`)
  }
}

const scheduleOf = (cron: Cron): Schedule => ({
  after: (atMs) => cron.nextRun(new Date(atMs))?.getTime() ?? null,
  upTo: (atMs, max) => cron.previousRuns(max, new Date(atMs + 1)).map((due) => due.getTime()),
})
