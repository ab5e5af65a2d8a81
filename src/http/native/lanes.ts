import { z } from 'zod'
import type { LanesReport } from '../../engine/watch/lanes.ts'
import { laneNames } from '../../model/lanes.ts'
import { waitCauses } from '../../model/turns.ts'
import type { AppDeps } from '../deps.ts'
import { get, json, type Route } from '../route.ts'
import { keySchema } from './shapes.ts'

const lanesSchema = z.strictObject({
  slots: z.int().describe('Turns that run at once, over all lanes.'),
  userSlots: z.int().describe('Of these, how many only the lane `main` may take.'),
  sourceShare: z.number(),
  lanes: z.array(
    z.strictObject({
      lane: z.enum(laneNames),
      concurrency: z.int(),
      running: z.int(),
      waiting: z.int(),
      interrupted: z.int(),
      oldest: z
        .strictObject({
          turnId: z.string(),
          sessionKey: keySchema,
          waitedMs: z.number(),
          cause: z.enum(waitCauses),
        })
        .nullable(),
      patienceMs: z.number(),
      waitLimitMs: z.number(),
      sources: z
        .array(z.strictObject({ source: z.string(), waiting: z.int() }))
        .describe('Those with the most turns among the oldest that wait.'),
    }),
  ),
  running: z.array(
    z.strictObject({
      turnId: z.string(),
      sessionKey: keySchema,
      lane: z.enum(laneNames),
      source: z.string(),
      pid: z.int(),
      host: z.string(),
      sinceMs: z.number(),
      lastProgressMs: z.number(),
      lastProgressNote: z.string(),
      stuck: z.boolean(),
    }),
  ),
  more: z.int().describe('Running turns that are not named.'),
}) satisfies z.ZodType<LanesReport>

export function laneRoutes({ holdfast }: AppDeps): Route[] {
  return [
    get({
      path: '/v1/lanes',
      tag: 'Watching',
      summary: 'How long the lanes are, who runs what and since when, and what waits longest and why.',
      reply: json(lanesSchema, 'The lanes.'),
      handle: async () => holdfast.lanes(),
    }),
  ]
}
