import { z } from 'zod'
import type { AppDeps } from '../deps.ts'
import { get, json, keyParam, post, type Route, wholeNumber, withKey } from '../route.ts'
import { summarySchema } from './shapes.ts'

const tag = 'Summaries'
const known = ['SESSION_KEY_INVALID', 'SESSION_NOT_FOUND'] as const
const oneSummary = z.strictObject({ summary: summarySchema })

export function summaryRoutes({ holdfast }: AppDeps): Route[] {
  return [
    get({
      path: '/v1/sessions/{key}/summaries',
      tag,
      summary: 'Summaries of the current transcript, newest first, undone ones included.',
      params: withKey,
      reply: json(z.strictObject({ items: z.array(summarySchema) }), 'All of them.'),
      errors: known,
      handle: async ({ params }) => ({ items: await holdfast.store.listSummaries(params.key) }),
    }),
    post({
      path: '/v1/sessions/{key}/compact',
      tag,
      summary: 'Makes a summary now. Turns go on meanwhile.',
      params: withKey,
      body: z.strictObject({}),
      reply: json(oneSummary, 'The new summary.'),
      errors: [
        ...known,
        'SUMMARY_NOTHING_TO_DO',
        'SUMMARY_STALE',
        'SUMMARY_REFUSED',
        'SUMMARY_TIMEOUT',
        'SUMMARY_FAILED',
      ],
      handle: async ({ params, request }) => ({ summary: await holdfast.compact(params.key, request.signal) }),
    }),
    post({
      path: '/v1/sessions/{key}/summaries/{id}/undo',
      tag,
      summary: 'Undoes the newest summary; the one before it counts again.',
      params: z.strictObject({ key: keyParam, id: wholeNumber(0, Number.MAX_SAFE_INTEGER) }),
      body: z.strictObject({}),
      reply: json(oneSummary, 'The summary that was undone.'),
      errors: [...known, 'SUMMARY_NOT_FOUND', 'SUMMARY_STALE'],
      handle: async ({ params }) => ({ summary: await holdfast.undoSummary(params.key, params.id) }),
    }),
  ]
}
