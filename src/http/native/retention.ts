import { z } from 'zod'
import type { SweepEvent } from '../../engine/upkeep/retain/report.ts'
import { archivePlaces } from '../../model/archives.ts'
import { isHoldfastError, recordOf } from '../../model/errors.ts'
import type { AppDeps } from '../deps.ts'
import { errorBody } from '../errors.ts'
import {
  events,
  get,
  json,
  keyParam,
  oneOf,
  pageAfter,
  pageLimit,
  post,
  type Route,
  wholeNumber,
  withKey,
} from '../route.ts'
import { atOnceMs, eventFrame, paced, stopWith, streamResponse, waitingFrame } from '../stream.ts'
import {
  archivedHitSchema,
  archivedSchema,
  deletedForeverSchema,
  putBackSchema,
  retentionStateSchema,
  sweepEventSchema,
} from './retention-shapes.ts'
import { defined } from './sessions.ts'
import { pageOf } from './shapes.ts'

const tag = 'Retention'
const busy = ['RETENTION_BUSY'] as const
const archive = ['ARCHIVE_NOT_FOUND', 'ARCHIVE_DAMAGED', ...busy] as const

export function retentionRoutes({ holdfast, clock }: AppDeps): Route[] {
  const { retention, store } = holdfast
  return [
    get({
      path: '/v1/retention',
      tag,
      summary: 'What the last sweep did or would have done, when the next one is, and whether the clock is trusted.',
      reply: json(retentionStateSchema, 'The state.'),
      handle: async () => retention.state,
    }),
    post({
      path: '/v1/retention/sweep',
      tag,
      summary:
        'A sweep, step by step. Unless it is to apply, nothing is changed. Closing the connection stops it after its batch.',
      body: z.strictObject({
        apply: z.boolean().prefault(false).describe('Carries the steps out.'),
        trustClock: z.boolean().prefault(false).describe('Somebody has looked at the clock, and it is right.'),
      }),
      reply: events(sweepEventSchema, 'Events named after their `type`; `done` is the last, or `error`.'),
      errors: ['RETENTION_BUSY', 'CLOCK_SUSPECT'],
      async handle({ body, request }) {
        const stop = stopWith(request.signal)
        return streamResponse(framesOf(paced(retention.sweep(body), clock, atOnceMs), stop.signal), stop)
      },
    }),
    post({
      path: '/v1/retention/undo',
      tag,
      summary:
        'Puts back all that is still archived of a sweep. Everything is compared with its SHA-256 before the first change.',
      body: z.strictObject({
        name: z.string().min(1).max(4_096).describe('A sweep, one folder of it, or the path of a manifest.'),
      }),
      reply: json(putBackSchema, 'What is there again, and what was there already.'),
      errors: archive,
      handle: async ({ body }) => retention.undo(body.name),
    }),
    get({
      path: '/v1/archives',
      tag,
      summary: 'Transcripts in the archives and the trash, newest first.',
      query: z.strictObject({
        limit: pageLimit(500, 50),
        after: pageAfter,
        place: oneOf(archivePlaces).optional(),
        key: keyParam.optional(),
        sweep: z.string().min(1).max(100).optional().describe('Only of this folder.'),
      }),
      reply: json(pageOf(archivedSchema), 'A page.'),
      errors: ['REQUEST_INVALID', 'SESSION_KEY_INVALID', 'CURSOR_INVALID'],
      handle: async ({ query }) => store.listArchived(defined(query)),
    }),
    get({
      path: '/v1/archives/search',
      tag,
      summary: 'Lines of archived transcripts that hold every word, newest first. Reads bundles, some at a time.',
      query: z.strictObject({
        text: z.string({ error: 'must hold the words to look for' }).min(1).max(500),
        key: keyParam.optional(),
        limit: pageLimit(100, 20),
        after: pageAfter,
      }),
      reply: json(
        pageOf(archivedHitSchema),
        'A page of hits; it can be empty and have a `next`: then there is more to look through.',
      ),
      errors: ['REQUEST_INVALID', 'SESSION_KEY_INVALID', 'CURSOR_INVALID', 'ARCHIVE_DAMAGED'],
      handle: async ({ query, request }) => retention.search(defined(query), request.signal),
    }),
    post({
      path: '/v1/archives/{id}/restore',
      tag,
      summary: 'Puts one transcript back into the store.',
      params: z.strictObject({ id: wholeNumber(0, Number.MAX_SAFE_INTEGER) }),
      body: z.strictObject({}),
      reply: json(archivedSchema, 'What it was in the archives.'),
      errors: [...archive, 'ARCHIVE_CONFLICT'],
      handle: async ({ params }) => retention.restore(params.id),
    }),
    post({
      path: '/v1/trash/empty',
      tag,
      summary: 'Deletes for good all that is in the trash.',
      body: z.strictObject({}),
      reply: json(z.strictObject({ transcripts: z.int(), bytes: z.int() }), 'What is gone.'),
      errors: busy,
      handle: async () => retention.emptyTrash(),
    }),
    post({
      path: '/v1/sessions/{key}/delete',
      tag,
      summary: 'Deletes a session for good, with all its transcripts, archived ones too. There is no way back.',
      params: withKey,
      body: z.strictObject({ forever: z.literal(true, { error: 'must be true: there is no way back' }) }),
      reply: json(deletedForeverSchema, 'What is gone.'),
      errors: [
        'REQUEST_INVALID',
        'SESSION_KEY_INVALID',
        'SESSION_NOT_FOUND',
        'SESSION_BUSY',
        'ARCHIVE_DAMAGED',
        ...busy,
      ],
      handle: async ({ params }) => retention.deleteForever(params.key),
    }),
  ]
}

async function* framesOf(source: AsyncIterable<SweepEvent | null>, signal: AbortSignal): AsyncGenerator<string> {
  try {
    for await (const event of source) {
      if (signal.aborted) return
      yield event === null ? waitingFrame : eventFrame(event, { event: event.type })
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    yield eventFrame(errorBody(recordOf(error)), { event: 'error' })
  }
}
