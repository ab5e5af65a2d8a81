import { z } from 'zod'
import { HoldfastError } from '../../model/errors.ts'
import { laneNames } from '../../model/lanes.ts'
import type { SystemMessage } from '../../model/messages.ts'
import { busyPolicies, turnStatuses } from '../../model/turns.ts'
import type { TurnDetail } from '../../store/turns.ts'
import { dedupeKeyOf } from '../chat/request.ts'
import type { AppDeps } from '../deps.ts'
import { instructionSchema, messagesSchema } from '../messages.ts'
import {
  events,
  get,
  json,
  keyParam,
  listOf,
  oneOf,
  pageAfter,
  pageLimit,
  post,
  type Route,
  withKey,
} from '../route.ts'
import { stopWith } from '../stream.ts'
import { defined, reasonBody } from './sessions.ts'
import { entrySchema, inboundSchema, pageOf, turnEventSchema, turnSchema } from './shapes.ts'
import { turnEventsResponse } from './turn-events.ts'

const tag = 'Turns'
const withId = z.strictObject({ id: z.string().min(1).max(100) })

const submitSchema = z
  .strictObject({
    text: z.string({ error: 'must be a text' }).min(1).optional().describe('One user message.'),
    messages: messagesSchema.optional(),
    instructions: z
      .union([z.string(), z.array(instructionSchema)], { error: 'must be a text or a list of system messages' })
      .prefault([])
      .describe('For this turn only.'),
    params: z.record(z.string(), z.unknown()).prefault({}).describe('Fields that pass through to the model.'),
    onBusy: oneOf(busyPolicies).optional(),
    lane: oneOf(laneNames).optional(),
    source: z.string().min(1).max(64).prefault('api').describe('Who sends it; quotas and metrics group by it.'),
    dedupeKey: z.string().min(1).max(255).nullable().optional().describe('As the header `idempotency-key`.'),
    wait: z.boolean().prefault(false).describe('Answer when the turn has ended.'),
    stream: z.boolean().prefault(false).describe('Answer with the events of the turn.'),
  })
  .refine((body) => (body.text === undefined) !== (body.messages === undefined), {
    error: 'must hold either `text` or `messages`',
  })
  .refine((body) => !(body.wait && body.stream), { error: 'must not ask for both `wait` and `stream`' })
  .refine((body) => body.messages?.every(({ role }) => role !== 'assistant') ?? true, {
    error: 'must be new messages; what the assistant said is in the session already',
    path: ['messages'],
  })
  .refine((body) => body.messages?.some(({ role }) => role === 'user' || role === 'tool') ?? true, {
    error: 'must hold a user or tool message',
    path: ['messages'],
  })
  .meta({ id: 'TurnRequest' })

const submissionSchema = z.strictObject({
  turn: turnSchema,
  repeated: z.boolean(),
  coalesced: z.boolean(),
  interruptedTurnId: z.string().nullable(),
  begunTranscript: z.int().nullable().describe('The transcript that a rule began with this message.'),
})

const endedSchema = z.strictObject({ turn: turnSchema, reply: z.array(entrySchema) })

export function turnRoutes(deps: AppDeps): Route[] {
  const { holdfast, clock } = deps
  const { store } = holdfast

  async function known(id: string): Promise<TurnDetail> {
    const detail = await store.readTurn(id)
    if (detail === null) throw new HoldfastError('TURN_NOT_FOUND')
    return detail
  }

  const submit = post({
    path: '/v1/sessions/{key}/turns',
    tag,
    summary: 'Accepts messages for a session; its turn runs when its time comes.',
    params: withKey,
    headers: [{ name: 'idempotency-key', description: 'A repeat with the same key is the same turn.' }],
    body: submitSchema,
    reply: {
      ...json(submissionSchema, 'Accepted: the messages are durable.', 202),
      also: [
        json(endedSchema, 'With `wait`: the turn has ended; `turn.status` says how.'),
        events(turnEventSchema, 'With `stream`: what the turn does, until it is settled.'),
      ],
    },
    errors: [
      'REQUEST_INVALID',
      'REQUEST_TOO_LARGE',
      'CONTEXT_TOO_LARGE',
      'SESSION_KEY_INVALID',
      'SESSION_BUSY',
      'QUEUE_FULL',
      'IDEMPOTENCY_MISMATCH',
      'STORE_FULL',
      'STORE_IO',
      'GATEWAY_CLOSING',
    ],
    async handle({ params, body, request }) {
      const { wait, stream, text, messages, lane, source } = body
      const submission = await holdfast.submit({
        key: params.key,
        messages: messages ?? (text as string), // the schema demands one of them
        instructions: instructionsOf(body.instructions),
        params: body.params,
        streaming: stream,
        dedupeKey: dedupeKeyOf(request.headers) ?? body.dedupeKey ?? null,
        onBusy: body.onBusy ?? deps.onBusy,
        source,
        ...(lane === undefined ? {} : { lane }),
      })
      const { id } = submission.turn
      if (stream) return turnEventsResponse(holdfast, clock, id, request.signal)
      if (!wait) return submission
      const { turn, reply } = await holdfast.settled(id, stopWith(request.signal).signal)
      return Response.json({ turn, reply })
    },
  })

  const list = get({
    path: '/v1/turns',
    tag,
    summary: 'Turns in the order of their admission.',
    query: z.strictObject({
      status: listOf(turnStatuses).optional().describe('Only these, separated by commas.'),
      session: keyParam.optional().describe('Only of this session.'),
      order: oneOf(['oldest', 'newest']).prefault('newest').describe('Which come first; newest unless told.'),
      limit: pageLimit(500, 50),
      after: pageAfter,
    }),
    reply: json(pageOf(turnSchema), 'A page.'),
    errors: ['REQUEST_INVALID', 'SESSION_KEY_INVALID', 'CURSOR_INVALID'],
    handle: async ({ query: { status, session, ...query } }) =>
      store.listTurns(defined({ ...query, statuses: status, key: session })),
  })

  const show = get({
    path: '/v1/turns/{id}',
    tag,
    summary: 'One turn with what was asked and what was answered.',
    params: withId,
    reply: json(
      z.strictObject({ turn: turnSchema, inbound: z.array(inboundSchema), reply: z.array(entrySchema) }),
      'The turn.',
    ),
    errors: ['TURN_NOT_FOUND'],
    async handle({ params }) {
      const { turn, inbound, reply } = await known(params.id)
      return { turn, inbound, reply }
    },
  })

  const cancel = post({
    path: '/v1/turns/{id}/cancel',
    tag,
    summary: 'Cancels a waiting turn at once, and asks a running one to stop.',
    params: withId,
    body: reasonBody,
    reply: json(turnSchema, 'The turn; a running one has `cancelRequested`.'),
    errors: ['TURN_NOT_FOUND', 'TURN_SETTLED'],
    handle: async ({ params, body }) => holdfast.cancel(params.id, body.reason),
  })

  const follow = get({
    path: '/v1/turns/{id}/events',
    tag,
    summary: 'What a turn does, from the start of its current attempt until it is settled.',
    params: withId,
    reply: events(turnEventSchema, 'Events named after their `type`.'),
    errors: ['TURN_NOT_FOUND'],
    async handle({ params, request }) {
      await known(params.id)
      return turnEventsResponse(holdfast, clock, params.id, request.signal)
    },
  })

  return [submit, list, show, cancel, follow]
}

function instructionsOf(given: string | SystemMessage[]): SystemMessage[] {
  return typeof given === 'string' ? [{ role: 'system', content: given }] : given
}
