import { z } from 'zod'
import type { GatewayEvent, TurnEvent } from '../../engine/events.ts'
import { type Entry, entryKinds } from '../../model/entries.ts'
import { type ErrorCode, type ErrorRecord, errorCatalog } from '../../model/errors.ts'
import { type Delivery, deliveryStatuses, type Holder, type Lease, leaseOperations } from '../../model/holders.ts'
import { type SessionKey, sessionKinds } from '../../model/keys.ts'
import { laneNames } from '../../model/lanes.ts'
import { type Session, type Summary, sessionStates } from '../../model/sessions.ts'
import { type Inbound, type Turn, turnStatuses, waitCauses } from '../../model/turns.ts'
import type { SearchHit } from '../../store/sessions.ts'
import type { BackupReport, StoreStatistics, VerifyReport } from '../../store/upkeep.ts'
import { messageSchema } from '../messages.ts'

/** What the native API answers with: the model's own types, described. Times are milliseconds since the epoch. */

const codes = Object.keys(errorCatalog) as [ErrorCode, ...ErrorCode[]]
const count = z.int().min(0)
const time = z.number()

/** Keys in answers come from the store, where only parsed ones are. */
export const keySchema = z.string() as unknown as z.ZodType<SessionKey>

export const errorRecordSchema = z
  .strictObject({
    code: z.enum(codes),
    message: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    retryAfterMs: z.number().nullable(),
  })
  .meta({ id: 'ErrorRecord' }) satisfies z.ZodType<ErrorRecord>

export const sessionSchema = z
  .strictObject({
    key: keySchema,
    agentId: z.string(),
    kind: z.enum(sessionKinds),
    state: z.enum(sessionStates),
    title: z.string().nullable(),
    pinned: z.boolean(),
    transcript: count,
    transcriptAtMs: time,
    head: count,
    fence: count,
    contextTokens: z.number(),
    meterRatio: z.number(),
    turnsTotal: count,
    queuedTurns: count,
    running: z.boolean(),
    createdAtMs: time,
    activeAtMs: time,
    archivedAtMs: time.nullable(),
  })
  .meta({ id: 'Session' }) satisfies z.ZodType<Session>

const eventBodySchema = z.looseObject({ code: z.string(), text: z.string() })

export const entrySchema = z
  .strictObject({
    seq: count,
    id: z.string(),
    parentId: z.string().nullable(),
    turnId: z.string().nullable(),
    attempt: count,
    kind: z.enum(entryKinds),
    body: z.union([messageSchema, eventBodySchema]),
    tokens: z.number(),
    atMs: time,
  })
  .meta({ id: 'Entry' }) satisfies z.ZodType<Entry>

export const turnSchema = z
  .strictObject({
    id: z.string(),
    position: count,
    sessionKey: keySchema,
    lane: z.enum(laneNames),
    source: z.string(),
    status: z.enum(turnStatuses),
    attempts: count,
    handedOver: count,
    blockedBy: z.enum(waitCauses).nullable(),
    admittedAtMs: time,
    readyAtMs: time.nullable(),
    startedAtMs: time.nullable(),
    progressAtMs: time.nullable(),
    settledAtMs: time.nullable(),
    cancelRequested: z.string().nullable(),
    outcome: errorRecordSchema.nullable(),
    finishReason: z.string().nullable(),
    usage: z.strictObject({ promptTokens: count, completionTokens: count, totalTokens: count }).nullable(),
    transcript: count.nullable(),
    replyFromSeq: count.nullable(),
    replyToSeq: count.nullable(),
    releasedAs: z.string().nullable(),
  })
  .meta({ id: 'Turn' }) satisfies z.ZodType<Turn>

export const inboundSchema = z.strictObject({
  dedupeKey: z.string().nullable(),
  messages: z.array(messageSchema),
  atMs: time,
}) satisfies z.ZodType<Inbound>

export const summarySchema = z
  .strictObject({
    id: count,
    transcript: count,
    baseId: count.nullable(),
    uptoSeq: count,
    kind: z.enum(['model', 'mechanical']),
    text: z.string(),
    tokens: z.number(),
    replacedTokens: z.number(),
    atMs: time,
    undoneAtMs: time.nullable(),
  })
  .meta({ id: 'Summary' }) satisfies z.ZodType<Summary>

export const holderSchema = z
  .strictObject({
    id: z.string(),
    host: z.string(),
    bootId: z.string().nullable(),
    pidNamespace: z.string().nullable(),
    pid: z.int(),
    startTicks: z.number().nullable(),
    sinceMs: time,
  })
  .meta({ id: 'Holder' }) satisfies z.ZodType<Holder>

export const leaseSchema = z
  .strictObject({
    sessionKey: keySchema,
    turnId: z.string(),
    fence: count,
    operation: z.enum(leaseOperations),
    holder: holderSchema,
    takenAtMs: time,
    progressAtMs: time,
    progressNote: z.string(),
  })
  .meta({ id: 'Lease' }) satisfies z.ZodType<Lease>

export const searchHitSchema = z.strictObject({
  sessionKey: keySchema,
  transcript: count,
  entry: entrySchema,
}) satisfies z.ZodType<SearchHit>

export const statisticsSchema = z.strictObject({
  sessions: count,
  sessionsArchived: count,
  entries: count,
  turnsQueued: count,
  turnsRunning: count,
  turnsInterrupted: count,
  lanes: z.array(
    z.strictObject({ lane: z.enum(laneNames), queued: count, running: count, oldestQueuedAtMs: time.nullable() }),
  ),
  bytes: z.strictObject({ database: count, log: count, free: count, blobs: count, diskFree: count }),
  lastVerify: z.strictObject({ atMs: time, ok: z.boolean() }).nullable(),
  writable: z.boolean(),
  logPinned: z.boolean(),
  fencedWrites: count,
  nextDueAtMs: time.nullable(),
}) satisfies z.ZodType<StoreStatistics>

export const verifySchema = z
  .strictObject({
    ok: z.boolean(),
    checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), problems: z.array(z.string()) })),
    sessions: count,
    entries: count,
    durationMs: z.number(),
  })
  .meta({ id: 'VerifyReport' }) satisfies z.ZodType<VerifyReport>

export const backupSchema = z.strictObject({
  path: z.string(),
  bytes: count,
  sha256: z.string(),
  verify: verifySchema,
}) satisfies z.ZodType<BackupReport>

export const turnEventSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('started'), attempt: count }),
    z.strictObject({ type: z.literal('delta'), delta: z.looseObject({ content: z.string().exactOptional() }) }),
    z.strictObject({ type: z.literal('restarted') }),
    z.strictObject({ type: z.literal('settled'), turn: turnSchema, reply: z.array(entrySchema) }),
  ])
  .meta({ id: 'TurnEvent' }) satisfies z.ZodType<TurnEvent>

const ofTurn = { sessionKey: keySchema, turnId: z.string() }
const deliveryEnds = deliveryStatuses.filter((status) => status !== 'pending' && status !== 'sending')
type DeliveryEnd = Exclude<Delivery['status'], 'pending' | 'sending'>

export const gatewayEventSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('turn.admitted'), ...ofTurn, coalesced: z.boolean() }),
    z.strictObject({ type: z.literal('turn.started'), ...ofTurn, attempt: count, waitedMs: z.number() }),
    z.strictObject({
      type: z.literal('turn.settled'),
      ...ofTurn,
      status: z.enum(turnStatuses),
      outcome: errorRecordSchema.nullable(),
    }),
    z.strictObject({ type: z.literal('turn.fenced'), ...ofTurn, because: z.string() }),
    z.strictObject({ type: z.literal('session.reset'), sessionKey: keySchema, transcript: count }),
    z.strictObject({ type: z.literal('session.archived'), sessionKey: keySchema }),
    z.strictObject({ type: z.literal('summary.started'), sessionKey: keySchema }),
    z.strictObject({
      type: z.literal('summary.committed'),
      sessionKey: keySchema,
      summaryId: count,
      kind: z.enum(['model', 'mechanical']),
      tokensBefore: z.number(),
      tokensAfter: z.number(),
    }),
    z.strictObject({ type: z.literal('summary.failed'), sessionKey: keySchema, outcome: errorRecordSchema }),
    z.strictObject({ type: z.literal('summary.undone'), sessionKey: keySchema, summaryId: count }),
    z.strictObject({
      type: z.literal('delivery.settled'),
      ...ofTurn,
      status: z.enum(deliveryEnds as [DeliveryEnd, ...DeliveryEnd[]]),
    }),
    z.strictObject({ type: z.literal('job.started'), jobId: z.string(), ...ofTurn, dueAtMs: time.nullable() }),
    z.strictObject({ type: z.literal('job.missed'), jobId: z.string(), count, because: z.string() }),
    z.strictObject({ type: z.literal('recovery.planned'), turns: count }),
    z.strictObject({ type: z.literal('recovery.crash-loop'), uncleanStarts: count }),
    z.strictObject({ type: z.literal('recovery.calm') }),
    z.strictObject({
      type: z.literal('retention.swept'),
      applied: z.boolean(),
      sessions: count,
      transcripts: count,
      bytes: z.number(),
      deleted: count,
    }),
    z.strictObject({ type: z.literal('store.read-only'), outcome: errorRecordSchema }),
    z.strictObject({ type: z.literal('store.writable') }),
    z.strictObject({
      type: z.literal('config.reloaded'),
      applied: z.array(z.string()),
      needsRestart: z.array(z.string()),
    }),
    z.strictObject({ type: z.literal('config.refused'), outcome: errorRecordSchema }),
    z.strictObject({
      type: z.literal('turn.waits'),
      ...ofTurn,
      lane: z.enum(laneNames),
      cause: z.enum(waitCauses),
      waitedMs: z.number(),
    }),
    z.strictObject({ type: z.literal('turn.stuck'), ...ofTurn, lane: z.enum(laneNames), stillMs: z.number() }),
    z.strictObject({ type: z.literal('turn.unstuck'), ...ofTurn, lane: z.enum(laneNames), stillMs: z.number() }),
    z.strictObject({ type: z.literal('loop.wedged'), stillMs: z.number(), turns: count }),
    z.strictObject({ type: z.literal('loop.recovered'), stillMs: z.number() }),
  ])
  .meta({ id: 'GatewayEvent' }) satisfies z.ZodType<GatewayEvent>

export const pageOf = (item: z.ZodType) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable().describe('Give it back as `after`.') })
