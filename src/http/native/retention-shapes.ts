import { z } from 'zod'
import type { DeletedForever } from '../../engine/upkeep/retain/forever.ts'
import type { PutBackReport } from '../../engine/upkeep/retain/put-back.ts'
import type { RetentionState, SweepEvent, SweepReport } from '../../engine/upkeep/retain/report.ts'
import type { ArchivedHit } from '../../engine/upkeep/retain/search.ts'
import { type ArchivedTranscript, archivePlaces } from '../../model/archives.ts'
import { type SessionKey, sessionKinds } from '../../model/keys.ts'
import { retentionEnds, retentionModes } from '../../retention/policy.ts'
import type { RetentionStep } from '../../retention/steps.ts'

const count = z.int().min(0)
const time = z.number()
const because = z.string()
/** Keys in answers come from the store and from manifests, where only parsed ones are. */
const keySchema = z.string() as unknown as z.ZodType<SessionKey>
const place = z.enum(archivePlaces)

export const archivedSchema = z
  .strictObject({
    id: count,
    sessionKey: keySchema,
    kind: z.enum(sessionKinds),
    transcript: count,
    whole: z.boolean().describe('It was the current one: the session went with it.'),
    place,
    sweep: z.string().describe('The folder that holds its bundle.'),
    file: z.string(),
    offset: count,
    length: count,
    bytes: count,
    sha256: z.string(),
    entries: count,
    firstAtMs: time,
    lastAtMs: time,
    takenAtMs: time,
    expiresAtMs: time.nullable().describe('When it is deleted for good; null: it is kept.'),
  })
  .meta({ id: 'ArchivedTranscript' }) satisfies z.ZodType<ArchivedTranscript>

const folderStep = { transcripts: count, bytes: z.number(), because }
const folderCause = z.enum(['age', 'bytes', 'expired', 'disk', 'empty'])

const stepSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('take out'),
    key: keySchema,
    sessionKind: z.enum(sessionKinds),
    transcripts: z.array(count),
    whole: z.boolean(),
    end: z.enum(retentionEnds),
    entries: count,
    lastAtMs: time,
    bytes: z.number(),
    cause: z.enum(['idle', 'age', 'count', 'entries', 'bytes', 'disk', 'ended']),
    because,
  }),
  z.strictObject({ kind: z.literal('to trash'), folder: z.string(), ...folderStep, cause: folderCause }),
  z.strictObject({ kind: z.literal('delete'), folder: z.string(), ...folderStep, cause: folderCause }),
  z.strictObject({
    kind: z.literal('forget'),
    place,
    folder: z.string(),
    bytes: z.number(),
    cause: folderCause,
    because,
  }),
]) satisfies z.ZodType<RetentionStep>

const clockSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sane') }),
  z.strictObject({ kind: z.literal('suspect'), because }),
])

const reportSchema = z
  .strictObject({
    sweep: z.string(),
    applied: z.boolean(),
    atMs: time,
    endedAtMs: time,
    sessions: count,
    transcripts: count,
    entries: count,
    bytes: z.number(),
    packedBytes: z.number(),
    toTrash: count,
    deleted: count,
    deletedBytes: z.number(),
    stayed: count,
    manifests: z.array(z.string()),
    more: z.boolean().describe('It ended before all was done, or shows only the first.'),
    clock: clockSchema,
    overBudget: z
      .strictObject({
        budgetBytes: z.number(),
        usedBytes: z.number(),
        archivesBytes: z.number(),
        trashBytes: z.number(),
        because,
      })
      .nullable(),
    worstStepMs: z.number(),
  })
  .meta({ id: 'SweepReport' }) satisfies z.ZodType<SweepReport>

export const sweepEventSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('step'),
      step: stepSchema,
      outcome: z.enum(['planned', 'done', 'stayed']),
      because: z.string().nullable().describe('Why it stayed.'),
    }),
    z.strictObject({ type: z.literal('done'), report: reportSchema }),
  ])
  .meta({ id: 'SweepEvent' }) satisfies z.ZodType<SweepEvent>

export const retentionStateSchema = z
  .strictObject({
    mode: z.enum(retentionModes),
    directory: z.string().nullable(),
    busy: z.boolean(),
    last: reportSchema.nullable(),
    nextAtMs: time.nullable(),
    clock: clockSchema.nullable(),
    damaged: z.array(z.string()).describe('Folders whose manifest cannot be read.'),
  })
  .meta({ id: 'RetentionState' }) satisfies z.ZodType<RetentionState>

const namesSchema = z.array(z.strictObject({ key: keySchema, transcript: count }))
export const putBackSchema = z.strictObject({
  restored: namesSchema,
  conflicts: namesSchema,
}) satisfies z.ZodType<PutBackReport>

export const deletedForeverSchema = z.strictObject({
  session: z.boolean().describe('It was in the database.'),
  archived: count.describe('Transcripts of it that were archived.'),
}) satisfies z.ZodType<DeletedForever>

export const archivedHitSchema = z.strictObject({
  id: count.describe('For `restore`.'),
  sessionKey: keySchema,
  transcript: count,
  place,
  line: count.describe('In the frame, from 1.'),
  atMs: time.nullable(),
  text: z.string().describe('What was written there, cut around the first word.'),
}) satisfies z.ZodType<ArchivedHit>
