import { z } from 'zod'
import { entryKinds } from '../../model/entries.ts'
import { HoldfastError } from '../../model/errors.ts'
import { sessionKinds } from '../../model/keys.ts'
import { sessionStates } from '../../model/sessions.ts'
import type { AppDeps } from '../deps.ts'
import {
  get,
  json,
  listOf,
  oneOf,
  pageAfter,
  pageLimit,
  patch,
  post,
  type Route,
  wholeNumber,
  withKey,
  yesOrNo,
} from '../route.ts'
import { entrySchema, pageOf, searchHitSchema, sessionSchema } from './shapes.ts'

const tag = 'Sessions'
const titleMax = 200
const seqMax = Number.MAX_SAFE_INTEGER
const knownSession = ['SESSION_KEY_INVALID', 'SESSION_NOT_FOUND'] as const

export const reasonBody = z.strictObject({
  reason: z.string({ error: 'must be a text' }).max(500).prefault('asked for over the API').describe('Is recorded.'),
})

export function sessionRoutes({ holdfast, clock }: AppDeps): Route[] {
  const { store } = holdfast
  return [
    get({
      path: '/v1/sessions',
      tag,
      summary: 'Sessions, newest activity first.',
      query: z.strictObject({
        limit: pageLimit(500, 50),
        after: pageAfter,
        kind: oneOf(sessionKinds).optional(),
        agent: z.string().min(1).max(64).optional().describe('Only of this agent.'),
        state: oneOf(sessionStates).optional(),
        prefix: z.string().min(1).max(255).optional().describe('Only keys that begin with this.'),
        busy: yesOrNo().optional().describe('Only with a running or waiting turn, or only without.'),
      }),
      reply: json(pageOf(sessionSchema), 'A page.'),
      errors: ['REQUEST_INVALID', 'CURSOR_INVALID'],
      handle: async ({ query: { agent, ...query } }) => store.listSessions(defined({ ...query, agentId: agent })),
    }),
    get({
      path: '/v1/sessions/{key}',
      tag,
      summary: 'One session.',
      params: withKey,
      reply: json(sessionSchema, 'The session.'),
      errors: knownSession,
      async handle({ params }) {
        const session = await store.readSession(params.key)
        if (session === null) throw new HoldfastError('SESSION_NOT_FOUND', { sessionKey: params.key })
        return session
      },
    }),
    patch({
      path: '/v1/sessions/{key}',
      tag,
      summary: 'Changes title and pin.',
      params: withKey,
      body: z
        .strictObject({ title: z.string().max(titleMax).nullable().optional(), pinned: z.boolean().optional() })
        .refine((body) => Object.keys(body).length > 0, { error: 'must hold `title` or `pinned`' }),
      reply: json(sessionSchema, 'The session after the change.'),
      errors: ['REQUEST_INVALID', ...knownSession],
      handle: async ({ params, body }) =>
        store.patchSession(defined({ key: params.key, ...body, atMs: clock.nowMs() })),
    }),
    get({
      path: '/v1/sessions/{key}/entries',
      tag,
      summary: 'Entries of a transcript.',
      params: withKey,
      query: z.strictObject({
        order: oneOf(['oldest', 'newest']).prefault('oldest').describe('Which come first; oldest unless told.'),
        after: wholeNumber(0, seqMax).optional().describe('Only entries behind this `seq`, in that order.'),
        limit: pageLimit(1_000, 100),
        transcript: wholeNumber(1, seqMax).optional().describe('Which incarnation; the current one unless told.'),
        kinds: listOf(entryKinds).optional().describe('Only these, separated by commas.'),
      }),
      reply: json(
        z.strictObject({ transcript: z.int(), entries: z.array(entrySchema), next: z.int().nullable() }),
        'A slice. Give `next` back as `after`.',
      ),
      errors: ['REQUEST_INVALID', ...knownSession],
      handle: async ({ params, query }) => store.readEntries(defined({ key: params.key, ...query })),
    }),
    post({
      path: '/v1/sessions/{key}/reset',
      tag,
      summary: 'Begins a new transcript. A running turn is cancelled; waiting turns run in the new one.',
      params: withKey,
      body: reasonBody,
      reply: json(
        z.strictObject({
          session: sessionSchema,
          previousTranscript: z.int(),
          cancelledTurnId: z.string().nullable(),
        }),
        'The session after the reset. The earlier transcript is kept.',
      ),
      errors: knownSession,
      handle: async ({ params, body }) => holdfast.reset(params.key, body.reason),
    }),
    post({
      path: '/v1/sessions/{key}/archive',
      tag,
      summary: 'Takes the session off the lists until its next message.',
      params: withKey,
      body: z.strictObject({}),
      reply: json(sessionSchema, 'The archived session.'),
      errors: [...knownSession, 'SESSION_BUSY'],
      handle: async ({ params }) => holdfast.archive(params.key),
    }),
    get({
      path: '/v1/search',
      tag,
      summary: 'Entries whose text holds every word, newest first.',
      query: z.strictObject({
        text: z.string({ error: 'must hold the words to look for' }).min(1).max(500),
        key: withKey.shape.key.optional(),
        limit: pageLimit(100, 20),
        after: pageAfter,
      }),
      reply: json(pageOf(searchHitSchema), 'A page of hits.'),
      errors: ['REQUEST_INVALID', 'SESSION_KEY_INVALID', 'CURSOR_INVALID'],
      handle: async ({ query }) => store.searchEntries(defined(query)),
    }),
  ]
}

/** Without the fields that were left out, which is how the store's queries want them. */
export function defined<T extends object>(
  fields: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
} {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
