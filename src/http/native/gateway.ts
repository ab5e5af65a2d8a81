import { z } from 'zod'
import type { LoggedEvent } from '../../engine/event-log.ts'
import { HoldfastError } from '../../model/errors.ts'
import { waitCauses } from '../../model/turns.ts'
import type { AppDeps } from '../deps.ts'
import { events, get, json, post, type Route, withKey } from '../route.ts'
import { atOnceMs, eventFrame, paced, stopWith, streamResponse, waitingFrame } from '../stream.ts'
import { recoveryStateSchema } from './recovery.ts'
import { retentionStateSchema } from './retention-shapes.ts'
import {
  backupSchema,
  errorRecordSchema,
  gatewayEventSchema,
  holderSchema,
  leaseSchema,
  sessionSchema,
  statisticsSchema,
  turnSchema,
  verifySchema,
} from './shapes.ts'

const tag = 'Gateway'

export const healthSchema = z.strictObject({
  ready: z.boolean(),
  because: errorRecordSchema.nullable(),
  draining: z.boolean(),
})

const whySchema = z.strictObject({
  session: sessionSchema,
  lease: leaseSchema.nullable(),
  running: z
    .strictObject({
      turn: turnSchema,
      operation: z.string(),
      sinceMs: z.number(),
      lastProgressMs: z.number(),
      lastProgressNote: z.string(),
      attempts: z.int(),
      cancelRequested: z.string().nullable(),
      stuck: z.boolean().describe('It shows no sign of life for longer than `watch.stuckAfter`.'),
    })
    .nullable(),
  waiting: z.array(
    z.strictObject({ turnId: z.string(), waitedMs: z.number(), cause: z.enum(waitCauses), source: z.string() }),
  ),
  queue: z.strictObject({
    waiting: z.int(),
    oldestWaitMs: z.number().nullable(),
    aheadInLane: z.int().describe('Turns of its lane that were queued before the next one of the session.'),
  }),
  compaction: z.strictObject({
    state: z.enum(['idle', 'scheduled', 'running', 'backing off']),
    sinceMs: z.number().nullable(),
    failuresInARow: z.int(),
    lastOutcome: z.string().nullable(),
  }),
  store: z.strictObject({ writable: z.boolean(), because: errorRecordSchema.nullable() }),
  next: z.string().describe('What happens next, in one sentence.'),
})

export function gatewayRoutes({ holdfast, models, clock, version }: AppDeps): Route[] {
  const { store } = holdfast

  const why = get({
    path: '/v1/sessions/{key}/why',
    tag,
    summary: 'Who holds the session, since when, what it last did, what waits, and what happens next.',
    params: withKey,
    reply: json(whySchema, 'The reasons.'),
    errors: ['SESSION_KEY_INVALID', 'SESSION_NOT_FOUND'],
    handle: async ({ params }) => holdfast.why(params.key),
  })

  const leases = get({
    path: '/v1/leases',
    tag,
    summary: 'Every session that is held, by whom and since when.',
    reply: json(z.strictObject({ items: z.array(leaseSchema) }), 'All of them.'),
    handle: async () => ({ items: await store.listLeases() }),
  })

  const status = get({
    path: '/v1/status',
    tag,
    summary: 'What this gateway is and how it is.',
    reply: json(
      z.strictObject({
        version: z.string(),
        model: z.string(),
        holder: holderSchema,
        health: healthSchema,
        recovery: recoveryStateSchema,
        statistics: statisticsSchema,
        retention: retentionStateSchema,
      }),
      'The status.',
    ),
    handle: async () => ({
      version,
      model: models.name,
      holder: holdfast.holder,
      health: holdfast.health(),
      recovery: await holdfast.recovery.state(),
      statistics: await store.statistics(),
      retention: holdfast.retention.state,
    }),
  })

  const verify = post({
    path: '/v1/verify',
    tag,
    summary: "Checks the database's integrity and Holdfast's own invariants, while everything goes on.",
    body: z.strictObject({ quick: z.boolean().prefault(false).describe('Skips the full read of every page.') }),
    reply: json(verifySchema, 'The report.'),
    handle: async ({ body }) => store.verify({ quick: body.quick, atMs: clock.nowMs() }),
  })

  const backup = post({
    path: '/v1/backup',
    tag,
    summary: 'A verified copy in a new directory of this machine. Only over the local socket.',
    body: z.strictObject({ directory: z.string().min(1).max(4_096).describe('Absolute; new or empty.') }),
    reply: json(backupSchema, 'The copy.'),
    errors: ['REQUEST_INVALID', 'HOST_REFUSED', 'BACKUP_FAILED'],
    async handle({ body, trusted }) {
      if (!trusted) throw new HoldfastError('HOST_REFUSED', { because: 'backups are made over the local socket only' })
      return store.backup({ directory: body.directory, atMs: clock.nowMs() })
    },
  })

  const watch = get({
    path: '/v1/events',
    tag,
    summary: 'What happens, as it happens: ids, states and sizes.',
    headers: [{ name: 'last-event-id', description: 'Goes on after this event; `event: gap` when that cannot be.' }],
    reply: events(gatewayEventSchema, 'Events named after their `type`, with ids. Never ends by itself.'),
    async handle({ request }) {
      const stop = stopWith(request.signal)
      const afterId = request.headers.get('last-event-id')
      return streamResponse(framesOf(paced(holdfast.events.subscribe(afterId, stop.signal), clock, atOnceMs)), stop)
    },
  })

  return [why, leases, status, verify, backup, watch]
}

async function* framesOf(source: AsyncIterable<LoggedEvent | { gap: true } | null>): AsyncGenerator<string> {
  for await (const found of source) {
    if (found === null) yield waitingFrame
    else if ('gap' in found) yield eventFrame({}, { event: 'gap' })
    else yield eventFrame(found.event, { id: found.id, event: found.event.type })
  }
}
