import { damaged } from '../../../archive/files.ts'
import type { ArchiveFolder } from '../../../archive/folder.ts'
import { type BundleState, type ItemName, isItem, isSettled, type ManifestItem } from '../../../archive/manifest.ts'
import type { Clock } from '../../../host/clock.ts'
import type { Log } from '../../../host/log.ts'
import type { ArchivedTranscript, ArchivePlace, NewArchivedTranscript } from '../../../model/archives.ts'
import type { SessionKey } from '../../../model/keys.ts'
import type { Store } from '../../../store/port.ts'
import type { ArchivedMove } from '../../../store/retention.ts'

/** What every part of retention stands on. */
export interface Keeping {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** The directory that holds `archives/` and `trash/`. */
  readonly root: string
}

/** Rows read or written by one verb. */
const rowsAtOnce = 200
const purgeRows = 500

/** All that the index knows of a folder. */
export const indexOf = (keeping: Keeping, folder: string) => rowsOf(keeping, { sweep: folder })

/** All that the index knows of a folder, or of a session. */
export async function rowsOf(
  { store }: Keeping,
  of: { sweep: string } | { key: SessionKey },
): Promise<ArchivedTranscript[]> {
  const rows: ArchivedTranscript[] = []
  let after: string | undefined
  do {
    const page = await store.listArchived({ ...of, limit: rowsAtOnce, ...(after === undefined ? {} : { after }) })
    rows.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined)
  return rows
}

/** Deletes all rows that are only hidden, a few milliseconds of the writer at a time. */
export async function purgeAll({ store, clock }: Keeping): Promise<void> {
  while (await store.purge({ rowsMax: purgeRows })) await clock.sleep(1)
}

export function rowOf(folder: ArchiveFolder, bundle: BundleState, item: ManifestItem): NewArchivedTranscript {
  const { key, because: _, ...rest } = item
  const { takenAtMs, expiresAtMs } = folder.state
  const where = { place: folder.place, sweep: folder.name, file: bundle.file }
  return { ...rest, ...where, sessionKey: key, takenAtMs, expiresAtMs }
}

const nameOf = ({ sessionKey, transcript }: ArchivedTranscript): ItemName => ({ key: sessionKey, transcript })

/**
 * Makes folder, manifest and index say the same, after whatever has interrupted an earlier process: what was announced is
 * carried out, or found done by what the database says. `whole` also compares the index where nothing is open.
 */
export async function settleFolder(keeping: Keeping, folder: ArchiveFolder, whole: boolean): Promise<void> {
  const { state } = folder
  await removeStrays(keeping, folder)
  if (isSettled(state) && folder.place === state.place && !whole) return
  if (state.deleting) return await finishDeleting(keeping, folder)
  if (state.moving !== null) await finishMoving(keeping, folder)
  for (const bundle of [...state.bundles.values()]) {
    if (bundle.state === 'old') await finishReplacing(keeping, folder, bundle)
  }
  for (const bundle of [...state.bundles.values()]) {
    if (bundle.state === 'dropping') await finishDropping(keeping, folder, bundle)
    else await settleBundle(keeping, folder, bundle)
  }
  await completeIndex(keeping, folder)
}

/** What the index knows of was announced: then lines of the manifest are lost, and the file is not. */
async function removeStrays(keeping: Keeping, folder: ArchiveFolder): Promise<void> {
  const strays = await folder.strays()
  if (strays.length === 0) return
  const listed = new Set((await indexOf(keeping, folder.name)).map(({ file }) => file))
  const lost = strays.find((name) => listed.has(name))
  if (lost !== undefined) throw damaged(folder.manifestPath, `it does not name ${lost}`)
  await folder.removeStrays(strays)
}

async function settleBundle(keeping: Keeping, folder: ArchiveFolder, bundle: BundleState): Promise<void> {
  const { clock, log } = keeping
  const { file } = bundle
  if (bundle.state === 'written' || bundle.puttingBack.length > 0) {
    const rows = (await indexOf(keeping, folder.name)).filter((row) => row.file === file).map(nameOf)
    const unlisted = bundle.items.filter((item) => !rows.some(isItem(item)))
    const back = await thatAreThere(keeping, unlisted)
    log.warn({ folder: folder.name, file, items: bundle.items.length, stayed: back.length }, 'a step was interrupted')
    if (bundle.state === 'written') {
      const stayed = back.map((name) => ({ ...name, because: 'interrupted' }))
      await folder.append({
        type: 'taken',
        atMs: clock.nowMs(),
        file,
        count: bundle.items.length - back.length,
        stayed,
      })
    } else {
      const items = back.filter((name) => bundle.puttingBack.some(isItem(name)))
      await folder.append({ type: 'put back', atMs: clock.nowMs(), file, items })
    }
  }
  await dropExtra(keeping, folder, bundle, 'it is in the database')
}

export const wordOf = ({ key, transcript }: ItemName) => `${key} ${transcript}`

/** Those of which the database has the transcript. */
async function thatAreThere({ store }: Keeping, items: readonly ManifestItem[]): Promise<ItemName[]> {
  const found: ItemName[] = []
  for (const { key, transcript } of items) {
    const parts = await store.exportTranscripts({ items: [{ key, transcript }], bytesMax: 1 })
    if (parts.length > 0) found.push({ key, transcript })
  }
  return found
}

/** Enters what the index lacks, and corrects where it looks elsewhere. */
async function completeIndex(keeping: Keeping, folder: ArchiveFolder): Promise<void> {
  const { store, log } = keeping
  const rows = new Map((await indexOf(keeping, folder.name)).map((row) => [wordOf(nameOf(row)), row]))
  const missing: NewArchivedTranscript[] = []
  const moves: ArchivedMove[] = []
  for (const bundle of folder.state.bundles.values()) {
    for (const item of bundle.items) {
      const right = rowOf(folder, bundle, item)
      const row = rows.get(wordOf(item))
      if (row === undefined) missing.push(right)
      else if (row.file !== right.file || row.offset !== right.offset || row.place !== right.place) {
        moves.push(moveOf(row.id, right))
      }
    }
  }
  if (missing.length > 0) log.warn({ folder: folder.name, items: missing.length }, 'archives were not on the list')
  for (const items of chunksOf(missing)) await store.enterArchived({ items })
  for (const chunk of chunksOf(moves)) await store.moveArchived({ moves: chunk })
}

/** A file holds nothing that is in the database: it would outlive a deletion there. */
export async function dropExtra(
  keeping: Keeping,
  folder: ArchiveFolder,
  bundle: BundleState,
  because: string,
): Promise<void> {
  if (bundle.items.length > 0 && bundle.extra.length === 0) return
  if (bundle.items.length === 0) return await dropBundle(keeping, folder, bundle, because)
  await folder.append({ ...(await folder.copyFrames(bundle, bundle.items)), atMs: keeping.clock.nowMs() })
  await finishReplacing(keeping, folder, bundle)
}

async function finishReplacing(keeping: Keeping, folder: ArchiveFolder, old: BundleState): Promise<void> {
  const next = old.replacedBy === null ? undefined : folder.state.bundles.get(old.replacedBy)
  if (next !== undefined) {
    const rows = (await indexOf(keeping, folder.name)).filter((row) => row.file === old.file)
    const moves = rows.flatMap((row) => {
      const item = next.items.find(isItem(nameOf(row)))
      return item === undefined ? [] : [moveOf(row.id, rowOf(folder, next, item))]
    })
    for (const chunk of chunksOf(moves)) await keeping.store.moveArchived({ moves: chunk })
  }
  await folder.removeBundle(old.file)
  await folder.append({ type: 'dropped', atMs: keeping.clock.nowMs(), file: old.file })
}

async function dropBundle(
  keeping: Keeping,
  folder: ArchiveFolder,
  bundle: BundleState,
  because: string,
): Promise<void> {
  await folder.append({ type: 'dropping', atMs: keeping.clock.nowMs(), file: bundle.file, because })
  await finishDropping(keeping, folder, bundle)
}

async function finishDropping(keeping: Keeping, folder: ArchiveFolder, { file }: BundleState): Promise<void> {
  await folder.removeBundle(file)
  await folder.append({ type: 'dropped', atMs: keeping.clock.nowMs(), file })
}

/** To the other place, with all that is in it. */
export async function moveFolder(
  keeping: Keeping,
  folder: ArchiveFolder,
  to: { place: ArchivePlace; expiresAtMs: number | null; because: string },
): Promise<void> {
  await folder.append({ type: 'moving', atMs: keeping.clock.nowMs(), ...to })
  await finishMoving(keeping, folder)
}

async function finishMoving(keeping: Keeping, folder: ArchiveFolder): Promise<void> {
  const { store, clock } = keeping
  const { moving } = folder.state
  if (moving === null) return
  const { place, expiresAtMs } = moving
  if (folder.place !== place) await folder.moveTo(place)
  const moves = (await indexOf(keeping, folder.name)).map((row) => moveOf(row.id, { ...row, place, expiresAtMs }))
  for (const chunk of chunksOf(moves)) await store.moveArchived({ moves: chunk })
  await folder.append({ type: 'moved', atMs: clock.nowMs(), place })
}

/** Deletes all of it for good; the manifest stays as a record. */
export async function deleteFolder(keeping: Keeping, folder: ArchiveFolder, because: string): Promise<void> {
  await folder.append({ type: 'deleting', atMs: keeping.clock.nowMs(), because })
  await finishDeleting(keeping, folder)
}

async function finishDeleting(keeping: Keeping, folder: ArchiveFolder): Promise<void> {
  const { store, clock } = keeping
  for (const file of folder.state.bundles.keys()) await folder.removeBundle(file)
  const ids = (await indexOf(keeping, folder.name)).map(({ id }) => id)
  for (const chunk of chunksOf(ids)) await store.dropArchived({ ids: chunk })
  await folder.append({ type: 'deleted', atMs: clock.nowMs() })
}

function moveOf(id: number, row: NewArchivedTranscript): ArchivedMove {
  const { place, sweep, file, offset, length, expiresAtMs } = row
  return { id, place, sweep, file, offset, length, expiresAtMs }
}

export function* chunksOf<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let from = 0; from < items.length; from += rowsAtOnce) yield items.slice(from, from + rowsAtOnce)
}
