import { z } from 'zod'
import { type ArchivePlace, archivePlaces } from '../model/archives.ts'
import { isHoldfastError } from '../model/errors.ts'
import { parseSessionKey, type SessionKey, sessionKinds } from '../model/keys.ts'

/**
 * `manifest.jsonl`, the journal of one folder in `archives/` or `trash/`. UTF-8; one JSON object a line, each appended with one
 * write and synced before what it announces, or after what it reports, so that it never says more than is true.
 *
 *   sweep         first line: which folder, when, by what policy
 *   bundle        a bundle is complete on disk, with what is in it; `replaces`: in the place of that one
 *   taken         the database has given up all items of the bundle but those that `stayed`
 *   putting back  these items are about to be put back; `put back`: they are in the database again
 *   dropping      the file is about to be deleted with all in it; `dropped`: it is gone
 *   moving        the folder is about to be renamed into that place; `moved`: it and the index are there
 *   deleting      all bundles are about to be deleted for good; `deleted`: they are gone
 *
 * Reading: fold the lines in order (`stateOf`). A last line that is torn (no line feed, or no JSON) was never acted on: it is
 * cut back by whoever writes next, and ignored by whoever reads. Any other bad line is damage, also a last one
 * that is JSON and not known here.
 *
 * After a crash: an announcement without its report is carried out or found done by what the database says; files that no
 * line names were never announced and are deleted. A bundle without `taken` was perhaps taken: the database knows.
 */
export const manifestName = 'manifest.jsonl'

const count = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
export const folderPattern = /^\d{8}T\d{6}Z-[0-9a-f]{8}-\d{1,6}$/
export const bundlePattern = /^\d{4,8}\.jsonl\.zst$/
const bundleName = z.string().regex(bundlePattern)
const keySchema = z.string().transform((text): SessionKey => parseSessionKey(text))

const itemSchema = z.strictObject({
  key: keySchema,
  kind: z.enum(sessionKinds),
  transcript: count,
  whole: z.boolean(),
  /** Its frame in the bundle, in bytes. */
  offset: count,
  length: count,
  /** Of its lines before compression, and their SHA-256. */
  bytes: count,
  sha256: hash,
  entries: count,
  firstAtMs: z.number(),
  lastAtMs: z.number(),
  because: z.string(),
})
export type ManifestItem = z.output<typeof itemSchema>

const nameSchema = z.strictObject({ key: keySchema, transcript: count })
export type ItemName = z.output<typeof nameSchema>

const atMs = z.number()
const file = bundleName
const place = z.enum(archivePlaces)
const expiresAtMs = z.number().nullable()
const because = z.string()

const lineSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sweep'),
    format: z.literal('holdfast-manifest'),
    version: z.literal(1),
    folder: z.string().regex(folderPattern),
    place,
    atMs,
    expiresAtMs,
    /** What asked for it: the policy, in the words of the configuration. */
    policy: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({
    type: z.literal('bundle'),
    atMs,
    file,
    bytes: count,
    sha256: hash,
    replaces: bundleName.nullable(),
    items: z.array(itemSchema),
  }),
  z.strictObject({
    type: z.literal('taken'),
    atMs,
    file,
    count,
    stayed: z.array(z.strictObject({ ...nameSchema.shape, because })),
  }),
  z.strictObject({ type: z.literal('putting back'), atMs, file, items: z.array(nameSchema) }),
  z.strictObject({ type: z.literal('put back'), atMs, file, items: z.array(nameSchema) }),
  z.strictObject({ type: z.literal('dropping'), atMs, file, because }),
  z.strictObject({ type: z.literal('dropped'), atMs, file }),
  z.strictObject({ type: z.literal('moving'), atMs, place, expiresAtMs, because }),
  z.strictObject({ type: z.literal('moved'), atMs, place }),
  z.strictObject({ type: z.literal('deleting'), atMs, because }),
  z.strictObject({ type: z.literal('deleted'), atMs }),
])
export type ManifestLine = z.output<typeof lineSchema>

/** The lines of a manifest, and where the last whole one ends, in bytes; null where it is damaged, with the number of the line. */
export type ManifestText = { lines: ManifestLine[]; bytes: number } | { damagedLine: number }

export function parseManifest(data: Buffer): ManifestText {
  const lines: ManifestLine[] = []
  let from = 0
  while (from < data.length) {
    const end = data.indexOf(0x0a, from)
    if (end === -1) break
    const json = parseJson(data.toString('utf8', from, end))
    const line = json === undefined ? undefined : parseLine(json)
    if (line === undefined) {
      // JSON of another version was acted on, by whoever understands it
      const isTorn = json === undefined && data.indexOf(0x0a, end + 1) === -1
      return isTorn ? { lines, bytes: from } : { damagedLine: lines.length + 1 }
    }
    lines.push(line)
    from = end + 1
  }
  return { lines, bytes: from }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function parseLine(json: unknown): ManifestLine | undefined {
  try {
    return lineSchema.safeParse(json).data
  } catch (error) {
    if (isHoldfastError(error, 'SESSION_KEY_INVALID')) return undefined
    throw error
  }
}

export interface BundleState {
  file: string
  bytes: number
  sha256: string
  /** `written`: perhaps taken. `old`: another has taken its place. `dropping`: to be deleted. */
  state: 'written' | 'taken' | 'old' | 'dropping'
  /** What is archived in it. */
  items: ManifestItem[]
  /** Are in the file, and not archived: they stayed, or are put back. */
  extra: ManifestItem[]
  /** Perhaps put back: the database knows. */
  puttingBack: ItemName[]
  /** The bundle in whose place this one is, or which is in the place of this one. */
  replaces: string | null
  replacedBy: string | null
}

export interface ManifestState {
  folder: string
  place: ArchivePlace
  takenAtMs: number
  /** When what is in it came to its place. */
  sinceMs: number
  expiresAtMs: number | null
  bundles: Map<string, BundleState>
  /** Announced, and not reported. */
  moving: { place: ArchivePlace; expiresAtMs: number | null } | null
  deleting: boolean
  /** Of the last line. */
  lastAtMs: number
}

export const isItem = (name: ItemName) => (item: ItemName) =>
  item.key === name.key && item.transcript === name.transcript

/** What the lines say when they are read in order; null when they do not begin with a sweep. */
export function stateOf(lines: readonly ManifestLine[]): ManifestState | null {
  const [first] = lines
  if (first?.type !== 'sweep') return null
  const { folder, place, atMs, expiresAtMs } = first
  const state: ManifestState = {
    folder,
    place,
    takenAtMs: atMs,
    sinceMs: atMs,
    expiresAtMs,
    bundles: new Map(),
    moving: null,
    deleting: false,
    lastAtMs: atMs,
  }
  for (const line of lines.slice(1)) applyLine(state, line)
  return state
}

/** The state after one more line. */
export function applyLine(state: ManifestState, line: ManifestLine): void {
  state.lastAtMs = line.atMs
  const bundle = 'file' in line ? state.bundles.get(line.file) : undefined
  switch (line.type) {
    case 'sweep':
      return
    case 'bundle':
      addBundle(state, line)
      return
    case 'taken':
      if (bundle === undefined) return
      bundle.state = 'taken'
      setAside(bundle, line.stayed)
      return
    case 'putting back':
      if (bundle !== undefined) bundle.puttingBack = line.items
      return
    case 'put back':
      if (bundle === undefined) return
      bundle.puttingBack = []
      setAside(bundle, line.items)
      return
    case 'dropping':
      if (bundle !== undefined) bundle.state = 'dropping'
      return
    case 'dropped':
      state.bundles.delete(line.file)
      return
    case 'moving':
      state.moving = { place: line.place, expiresAtMs: line.expiresAtMs }
      return
    case 'moved':
      if (state.moving === null) return
      Object.assign(state, {
        place: line.place,
        sinceMs: line.atMs,
        expiresAtMs: state.moving.expiresAtMs,
        moving: null,
      })
      return
    case 'deleting':
      state.deleting = true
      return
    case 'deleted':
      state.deleting = false
      state.bundles.clear()
  }
}

function addBundle(state: ManifestState, line: Extract<ManifestLine, { type: 'bundle' }>): void {
  const { file, bytes, sha256, replaces, items } = line
  const old = replaces === null ? undefined : state.bundles.get(replaces)
  if (old !== undefined) Object.assign(old, { state: 'old', replacedBy: file })
  const taken = replaces === null ? 'written' : 'taken'
  const fresh = { extra: [], puttingBack: [], replacedBy: null }
  state.bundles.set(file, { file, bytes, sha256, state: taken, items, replaces, ...fresh })
}

function setAside(bundle: BundleState, names: readonly ItemName[]): void {
  const isNamed = (item: ManifestItem) => names.some(isItem(item))
  bundle.extra.push(...bundle.items.filter(isNamed))
  bundle.items = bundle.items.filter((item) => !isNamed(item))
}

/** Nothing is announced that is not reported, and no file holds more than is archived in it. */
export function isSettled(state: ManifestState): boolean {
  if (state.moving !== null || state.deleting) return false
  return [...state.bundles.values()].every(
    ({ state: is, extra, puttingBack }) => is === 'taken' && extra.length === 0 && puttingBack.length === 0,
  )
}
