import { z } from 'zod'
import type { DoneStep, RecoveryReport, RecoveryState } from '../../engine/upkeep/recover.ts'
import { errorCatalog } from '../../model/errors.ts'
import { sessionProblems } from '../../model/starts.ts'
import type { RecoveryStep } from '../../recovery/plan.ts'
import type { AppDeps } from '../deps.ts'
import { get, json, pageAfter, pageLimit, post, type Route } from '../route.ts'
import { keySchema, pageOf, turnSchema } from './shapes.ts'

const tag = 'Recovery'
const count = z.int().min(0)

export const recoveryStateSchema = z
  .strictObject({
    resumes: z.enum(['on', 'off']),
    because: z.string().nullable().describe('Why they are off.'),
    crashLoop: z.boolean(),
    uncleanStarts: count.describe('Starts after an unclean end that count towards a crash loop, this one included.'),
    onInMs: z.number().nullable().describe('Until resumes go on by themselves.'),
    resumed: count.describe('Turns that this process has queued to run again.'),
  })
  .meta({ id: 'RecoveryState' }) satisfies z.ZodType<RecoveryState>

const ofTurn = { turnId: z.string(), sessionKey: keySchema, because: z.string().describe('Why, in one sentence.') }
const ofDelivery = { ...ofTurn, deliveryId: count }
const steps = [
  z.strictObject({ kind: z.literal('cancel'), reason: z.string(), ...ofTurn }),
  z.strictObject({ kind: z.literal('quarantine'), attempts: count, ...ofTurn }),
  z.strictObject({ kind: z.literal('skip'), as: z.enum(['stale', 'failed']), ...ofTurn }),
  z.strictObject({ kind: z.literal('repair first'), problems: z.array(z.enum(sessionProblems)), ...ofTurn }),
  z.strictObject({ kind: z.literal('resume'), ...ofTurn }),
  z.strictObject({ kind: z.literal('wait'), ...ofTurn }),
  z.strictObject({ kind: z.literal('retry delivery'), ...ofDelivery }),
  z.strictObject({ kind: z.literal('skip delivery'), as: z.literal('failed'), ...ofDelivery }),
] as const
const stepSchema = z.discriminatedUnion('kind', steps).meta({ id: 'RecoveryStep' }) satisfies z.ZodType<
  Mutable<RecoveryStep>
>
const codes = ['done', ...Object.keys(errorCatalog)] as [DoneStep['result'], ...DoneStep['result'][]]

const reportSchema = z.strictObject({
  started: z.boolean().describe('False: what would be done if a gateway started now.'),
  state: recoveryStateSchema,
  done: z.array(z.looseObject({ kind: z.string(), ...ofTurn, result: z.enum(codes) })).describe('By this process.'),
  todo: z.array(stepSchema),
  more: z.boolean().describe('There is more to do than is told.'),
})

/** As JSON knows no read-only arrays. */
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] }

const withId = z.strictObject({ id: z.string().min(1).max(64) })

export function recoveryRoutes({ holdfast }: AppDeps): Route[] {
  const { recovery, store } = holdfast
  return [
    get({
      path: '/v1/recovery',
      tag,
      summary: 'What becomes of what an earlier process left unfinished, with a reason for each step.',
      reply: json(reportSchema, 'The plan, and what was done.'),
      handle: async (): Promise<RecoveryReport> => recovery.report(),
    }),
    post({
      path: '/v1/recovery/run',
      tag,
      summary: 'Carries the plan out now, also when resumes are off.',
      body: z.strictObject({}),
      reply: json(reportSchema, 'What was done, and what is left.'),
      errors: ['STORE_FULL', 'STORE_IO'],
      handle: async (): Promise<RecoveryReport> => recovery.runNow(),
    }),
    get({
      path: '/v1/quarantine',
      tag,
      summary: 'Turns that ended in quarantine and were not released, newest first.',
      query: z.strictObject({ limit: pageLimit(500, 50), after: pageAfter }),
      reply: json(pageOf(turnSchema), 'A page.'),
      errors: ['REQUEST_INVALID', 'CURSOR_INVALID'],
      handle: async ({ query: { limit, after } }) =>
        store.listQuarantined({ limit, ...(after === undefined ? {} : { after }) }),
    }),
    post({
      path: '/v1/turns/{id}/release',
      tag,
      summary: 'Runs a turn in quarantine again, as a new turn of its session.',
      params: withId,
      body: z.strictObject({}),
      reply: json(turnSchema, 'The new turn; when it was released before, the turn that was made then.'),
      errors: ['TURN_NOT_FOUND', 'TURN_NOT_QUARANTINED'],
      handle: async ({ params }) => recovery.release(params.id),
    }),
  ]
}
