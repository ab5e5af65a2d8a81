import { z } from 'zod'
import { stepKinds } from '../run.ts'

/**
 * `manifest.jsonl`, the journal of one run of one command on one home, in `<home>/holdfast/archives/<run>/`. UTF-8; one JSON object a
 * line. Lines are appended and synced before what they announce, and after what they report, so that it never says more than is true.
 *
 *   run        first line: which run of which command on which home
 *   take       a file is about to leave its place; its verified copy is in a bundle. It goes by way of the name `aside`
 *   replace    a file is about to get other content, by way of `fresh`; a verified copy of the old is in a bundle. `entries`: a frame
 *              with the changes of index entries (JSON), so that undoing can merge them into an index that has moved on
 *   in place   the file of this step, or of its undoing, is about to be written in place, because its name cannot be given to another;
 *              `copy`: what it holds now
 *   create     a file is about to be there that was not, by way of `fresh`
 *   mode       the permission bits of a file or directory are about to change
 *   done       the step is done, with what stands under its name now
 *   left       the step was not done: everything about it is as it was before it was announced
 *   undo       the step is about to be taken back, by way of `fresh` or `aside`; `will`: of merged content
 *   undone     it is taken back; `redone`: it is not, and counts as done again
 *   expire     a bundle is about to be deleted; `expired`: it is gone, and its steps cannot be undone any more
 *   settled    nothing that was announced lacks its report
 *
 * A bundle, `0001.zst`, is a row of zstd frames, each with the content of one file; `zstd -d` reads it. It is synced before a line names
 * a frame of it. Paths are relative to the home (with `/`) where they lie in it, so that they hold when it is moved, else absolute.
 *
 * Reading: fold the lines in order (`fold`). A last line without a line feed was never acted on: it is cut back by whoever writes next,
 * and ignored by whoever reads. Any other line that is not understood is damage, also a last one: another version has acted on it.
 *
 * After a crash, which shows by a last line that is not `settled`: each announcement without a report is judged by what stands on disk
 * (`settle`): the old content or the new one, never a guess; what was half-way is put back. A tail of a bundle that no line names
 * is cut back, a bundle that no line names is deleted: nothing had left its place for it.
 */
export const manifestName = 'manifest.jsonl'

const count = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const big = z.string().regex(/^-?\d{1,24}$/)
export const runPattern = /^\d{8}T\d{6}Z-[a-z]{2,16}-[0-9a-f]{8}$/
export const bundlePattern = /^\d{4,8}\.zst$/
const besideName = z.string().regex(/^[^/\\\0]*\.holdfast-[0-9a-f]{8}\.(new|aside)$/)
const bundleName = z.string().regex(bundlePattern)

const frameSchema = z.strictObject({
  file: bundleName,
  /** In the bundle, in bytes. */
  offset: count,
  length: count,
  /** Of the content, in bytes, and its SHA-256. */
  bytes: count,
  sha256: hash,
})
/** A piece of a bundle. */
export type Frame = z.output<typeof frameSchema>

const recordSchema = z.strictObject({
  dev: big,
  ino: big,
  bytes: big,
  mtimeNs: big,
  ctimeNs: big,
  bornNs: big,
  mode: count,
  uid: count,
  gid: count,
})
/** A file as it stood under its name. Times are nanoseconds since 1970. */
export type FileRecord = z.output<typeof recordSchema>

const atMs = z.number()
const step = z.int().min(1)
const subject = {
  step,
  atMs,
  kind: z.enum(stepKinds),
  path: z.string().min(1).max(8_192),
  key: z.string().nullable(),
  because: z.string(),
}
const content = z.strictObject({ bytes: count, sha256: hash })

const announcements = [
  z.strictObject({ type: z.literal('take'), ...subject, was: recordSchema, copy: frameSchema, aside: besideName }),
  z.strictObject({
    type: z.literal('replace'),
    ...subject,
    was: recordSchema,
    copy: frameSchema,
    will: content,
    entries: frameSchema.nullable(),
    fresh: besideName,
  }),
  z.strictObject({ type: z.literal('create'), ...subject, will: content, fresh: besideName }),
  /** Permission bits. */
  z.strictObject({ type: z.literal('mode'), ...subject, was: count, will: count }),
] as const
const announcementSchema = z.discriminatedUnion('type', announcements)
export type Announcement = z.output<typeof announcementSchema>

const lineSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('run'),
    format: z.literal('holdfast-changes'),
    version: z.literal(1),
    run: z.string().regex(runPattern),
    home: z.string(),
    command: z.string(),
    atMs,
  }),
  ...announcements,
  z.strictObject({ type: z.literal('in place'), step, atMs, copy: frameSchema }),
  z.strictObject({ type: z.literal('done'), step, atMs, now: recordSchema.nullable() }),
  z.strictObject({ type: z.literal('left'), step, atMs, left: z.string(), because: z.string() }),
  z.strictObject({
    type: z.literal('undo'),
    step,
    atMs,
    fresh: besideName,
    aside: besideName,
    will: content.nullable(),
  }),
  z.strictObject({ type: z.literal('undone'), step, atMs }),
  z.strictObject({ type: z.literal('redone'), step, atMs, because: z.string() }),
  z.strictObject({ type: z.literal('expire'), file: bundleName, atMs, because: z.string() }),
  z.strictObject({ type: z.literal('expired'), file: bundleName, atMs }),
  z.strictObject({ type: z.literal('settled'), atMs }),
])
export type ManifestLine = z.output<typeof lineSchema>
export type RunLine = Extract<ManifestLine, { type: 'run' }>

/** Undefined for what is no line of this version. */
export function parseLine(data: Buffer): ManifestLine | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(data.toString('utf8'))).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export interface StepState {
  told: Announcement
  /** `announced`, `undoing`: what stands on disk decides. */
  state: 'announced' | 'done' | 'left' | 'undoing' | 'undone'
  /** What it held before it was being written in place. */
  inPlace: Frame | null
  /** What stood under the name after it was done; null: nothing, or not known. */
  now: FileRecord | null
  because: string | null
  undo: Extract<ManifestLine, { type: 'undo' }> | null
}

export interface RunState {
  run: string
  home: string
  command: string
  atMs: number
  /** Of the last line. */
  lastAtMs: number
  steps: Map<number, StepState>
  /** Bundles that are deleted, or about to be. */
  expired: Map<string, 'going' | 'gone'>
  /** Nothing that was announced lacks its report. */
  settled: boolean
}

export function beginState({ run, home, command, atMs }: RunLine): RunState {
  return { run, home, command, atMs, lastAtMs: atMs, steps: new Map(), expired: new Map(), settled: true }
}

/** The state after one more line. False where the line cannot follow what stands before. */
export function fold(state: RunState, line: ManifestLine): boolean {
  state.lastAtMs = line.atMs
  state.settled = line.type === 'settled'
  const known = 'step' in line ? state.steps.get(line.step) : undefined
  switch (line.type) {
    case 'run':
      return false
    case 'take':
    case 'replace':
    case 'create':
    case 'mode':
      if (known !== undefined) return false
      state.steps.set(line.step, {
        told: line,
        state: 'announced',
        inPlace: null,
        now: null,
        because: null,
        undo: null,
      })
      return true
    case 'in place':
      return change(known, { inPlace: line.copy })
    case 'done':
      return change(known, { state: 'done', now: line.now })
    case 'left':
      return change(known, { state: 'left', because: line.because })
    case 'undo':
      return change(known, { state: 'undoing', undo: line, inPlace: null })
    case 'undone':
      return change(known, { state: 'undone' })
    case 'redone':
      return change(known, { state: 'done', because: line.because })
    case 'expire':
    case 'expired':
      state.expired.set(line.file, line.type === 'expire' ? 'going' : 'gone')
      return true
    case 'settled':
      return true
  }
}

function change(known: StepState | undefined, by: Partial<StepState>): boolean {
  if (known === undefined) return false
  Object.assign(known, by)
  return true
}

/** All pieces of bundles that a step names. */
export function framesOf({ told, inPlace }: StepState): Frame[] {
  const frames = inPlace === null ? [] : [inPlace]
  if (told.type === 'take' || told.type === 'replace') frames.push(told.copy)
  if (told.type === 'replace' && told.entries !== null) frames.push(told.entries)
  return frames
}
