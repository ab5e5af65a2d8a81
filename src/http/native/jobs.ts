import { z } from 'zod'
import { type Job, missedPolicies, parseJobId } from '../../model/jobs.ts'
import { turnStatuses } from '../../model/turns.ts'
import type { AppDeps } from '../deps.ts'
import { instructionSchema, messageSchema, messagesSchema } from '../messages.ts'
import { del, get, json, oneOf, pageAfter, pageLimit, patch, post, type Route } from '../route.ts'
import { defined } from './sessions.ts'
import { pageOf, turnSchema } from './shapes.ts'

const tag = 'Scheduled jobs'
const time = z.number()
const withJob = z.strictObject({ id: z.string().transform(parseJobId).describe('The id of a job.') })
const knownJob = ['JOB_NOT_FOUND', 'JOB_INVALID'] as const

const jobSchema = z
  .strictObject({
    id: z.string(),
    agentId: z.string(),
    name: z.string(),
    schedule: z.string(),
    timeZone: z.string(),
    missed: z.enum(missedPolicies),
    messages: z.array(messageSchema),
    instructions: z.array(instructionSchema),
    params: z.record(z.string(), z.unknown()),
    deliverTo: z.array(z.string()),
    enabled: z.boolean(),
    createdAtMs: time,
    updatedAtMs: time,
    nextAtMs: time.nullable().describe('May have passed while its last run goes on. Null while it is switched off.'),
    lastDueAtMs: time.nullable(),
    lastStartedAtMs: time.nullable(),
    lastTurnId: z.string().nullable(),
    lastStatus: z.enum(turnStatuses).nullable(),
    missedTotal: z.int(),
    lastMissed: z.strictObject({ count: z.int(), fromMs: time, untilMs: time, because: z.string() }).nullable(),
    forgottenAtMs: time.describe('Due times up to here count as started.'),
  })
  .meta({ id: 'Job' }) satisfies z.ZodType<Job>

const putSchema = z
  .strictObject({
    id: z.string().optional().describe('Made from the name unless given.'),
    name: z.string().describe('For people.'),
    schedule: z.string().describe('A cron expression of 5 fields, or of 6 that begin with the second.'),
    timeZone: z.string().optional().describe('In which the expression is read; UTC unless given.'),
    missed: oneOf(missedPolicies).optional().describe('What becomes of due times that nothing could start at.'),
    agentId: z.string().optional().describe('Whose session keys its runs get; `main` unless given.'),
    text: z.string({ error: 'must be a text' }).min(1).optional().describe('One user message.'),
    messages: messagesSchema.optional(),
    instructions: z.array(instructionSchema).optional(),
    params: z.record(z.string(), z.unknown()).optional().describe('Fields that pass through to the model.'),
    deliverTo: z.array(z.string()).optional().describe('Where replies are sent.'),
    enabled: z.boolean().optional(),
    replace: z.boolean().optional().describe('Takes the place of the job with this id.'),
  })
  .refine((body) => (body.text === undefined) !== (body.messages === undefined), {
    error: 'must hold either `text` or `messages`',
  })
  .meta({ id: 'JobInput' })

export function jobRoutes({ holdfast }: AppDeps): Route[] {
  const { jobs, store } = holdfast
  return [
    get({
      path: '/v1/cron',
      tag,
      summary: 'Scheduled jobs, in the order in which they were made.',
      query: z.strictObject({ limit: pageLimit(500, 50), after: pageAfter }),
      reply: json(pageOf(jobSchema), 'A page.'),
      errors: ['CURSOR_INVALID'],
      handle: async ({ query }) => store.listJobs(defined(query)),
    }),
    post({
      path: '/v1/cron',
      tag,
      summary: 'Has turns started by the clock, each in a session of its own.',
      body: putSchema,
      reply: json(jobSchema, 'The job.'),
      errors: ['JOB_INVALID', 'JOB_LIMIT', 'CONTEXT_TOO_LARGE', 'STORE_FULL'],
      handle: async ({ body: { text, messages, ...body } }) =>
        jobs.put({ ...defined(body), messages: messages ?? (text as string) }), // the schema demands one of them
    }),
    get({
      path: '/v1/cron/{id}',
      tag,
      summary: 'One job.',
      params: withJob,
      reply: json(jobSchema, 'The job.'),
      errors: knownJob,
      handle: async ({ params }) => jobs.read(params.id),
    }),
    patch({
      path: '/v1/cron/{id}',
      tag,
      summary: 'Switches a job on or off. Nothing is missed while it is off.',
      params: withJob,
      body: z.strictObject({ enabled: z.boolean() }),
      reply: json(jobSchema, 'The job after the change.'),
      errors: knownJob,
      handle: async ({ params, body }) => jobs.switch(params.id, body.enabled),
    }),
    del({
      path: '/v1/cron/{id}',
      tag,
      summary: 'Removes a job. Its sessions stay, and a run that is going goes on.',
      params: withJob,
      reply: json(z.strictObject({ id: z.string() }), 'It is removed.'),
      errors: knownJob,
      async handle({ params }) {
        await jobs.remove(params.id)
        return { id: params.id }
      },
    }),
    post({
      path: '/v1/cron/{id}/run',
      tag,
      summary: 'Starts a run now, besides those that are due.',
      params: withJob,
      body: z.strictObject({}),
      reply: json(z.strictObject({ job: jobSchema, turn: turnSchema }), 'Accepted: the turn is durable.', 202),
      errors: [...knownJob, 'JOB_RUNNING', 'QUEUE_FULL', 'STORE_FULL'],
      handle: async ({ params }) => jobs.run(params.id),
    }),
  ]
}
