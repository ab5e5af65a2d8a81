import type { ArchiveFolder } from '../../../archive/folder.ts'
import { readFrame, verifyFrame } from '../../../archive/frames.ts'
import type { BundleState, ItemName, ManifestItem } from '../../../archive/manifest.ts'
import type { ArchivedTranscript } from '../../../model/archives.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import { dropExtra, indexOf, type Keeping, purgeAll } from './settle.ts'

export interface PutBackReport {
  restored: ItemName[]
  /** Is there already, under its number or with one of its ids. */
  conflicts: ItemName[]
}

interface Found {
  row: ArchivedTranscript
  bundle: BundleState
  item: ManifestItem
}

type IsWanted = (row: ArchivedTranscript) => boolean

/** Reads all that is wanted of a folder, and compares it with its SHA-256. @throws HoldfastError ARCHIVE_DAMAGED, STORE_IO */
export async function verifyArchived(keeping: Keeping, folder: ArchiveFolder, isWanted: IsWanted): Promise<void> {
  for (const { bundle, item } of await foundIn(keeping, folder, isWanted)) {
    await verifyFrame(folder.pathOf(bundle.file), item)
  }
}

/** Puts what is wanted of one folder back, to the byte. It was verified before. @throws HoldfastError ARCHIVE_DAMAGED */
export async function putBack(keeping: Keeping, folder: ArchiveFolder, isWanted: IsWanted): Promise<PutBackReport> {
  const found = await foundIn(keeping, folder, isWanted)
  const report: PutBackReport = { restored: [], conflicts: [] }
  // The newest first, which are in the last bundles: they bring their sessions, and the earlier ones join.
  const bundles = [...new Set(found.map((each) => each.bundle))].sort((a, b) => (a.file < b.file ? 1 : -1))
  for (const bundle of bundles) {
    const here = found.filter((each) => each.bundle === bundle).sort((a, b) => b.item.transcript - a.item.transcript)
    const { restored, conflicts } = await putBackOf(keeping, folder, bundle, here)
    report.restored.push(...restored)
    report.conflicts.push(...conflicts)
  }
  return report
}

async function foundIn(keeping: Keeping, folder: ArchiveFolder, isWanted: IsWanted): Promise<Found[]> {
  const rows = (await indexOf(keeping, folder.name)).filter(isWanted)
  return rows.map((row) => ({ row, ...itemOf(folder, row) }))
}

function itemOf(folder: ArchiveFolder, row: ArchivedTranscript): Pick<Found, 'bundle' | 'item'> {
  const bundle = folder.state.bundles.get(row.file)
  const item = bundle?.items.find(({ key, transcript }) => key === row.sessionKey && transcript === row.transcript)
  if (bundle !== undefined && item !== undefined) return { bundle, item }
  throw new HoldfastError('ARCHIVE_DAMAGED', { because: `${folder.manifestPath} does not name it`, id: row.id })
}

async function putBackOf(
  keeping: Keeping,
  folder: ArchiveFolder,
  bundle: BundleState,
  found: readonly Found[],
): Promise<PutBackReport> {
  const { clock } = keeping
  const { file } = bundle
  const names = found.map(({ item: { key, transcript } }) => ({ key, transcript }))
  await folder.append({ type: 'putting back', atMs: clock.nowMs(), file, items: names })
  const report: PutBackReport = { restored: [], conflicts: [] }
  for (const { row, item } of found) {
    const name = { key: item.key, transcript: item.transcript }
    try {
      await putBackOne(keeping, row, folder.pathOf(file), item)
      report.restored.push(name)
    } catch (error) {
      if (!isHoldfastError(error, 'ARCHIVE_CONFLICT') || isPassing(error)) throw error
      report.conflicts.push(name)
    }
  }
  await folder.append({ type: 'put back', atMs: clock.nowMs(), file, items: report.restored })
  await dropExtra(keeping, folder, bundle, 'all of it was put back')
  return report
}

/** Its session began or ended meanwhile, or an earlier copy of it is not deleted yet. */
const isPassing = (error: unknown): boolean => isHoldfastError(error, 'ARCHIVE_CONFLICT') && error.retryAfterMs !== null

const triesMax = 3

async function putBackOne(keeping: Keeping, row: ArchivedTranscript, path: string, item: ManifestItem): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await send(keeping, row, path, item)
      return
    } catch (error) {
      if (!isPassing(error) || tries === triesMax) throw error
      await purgeAll(keeping)
    }
  }
}

/** The last part is sent only when all before it was right. */
async function send({ store, clock }: Keeping, row: ArchivedTranscript, path: string, item: ManifestItem) {
  const atMs = clock.nowMs()
  let part = 0
  let held: string | null = null
  for await (const text of readFrame(path, item)) {
    if (held !== null) {
      await store.putBack({ id: row.id, part, text: held, last: false, atMs })
      part += 1
    }
    held = text
  }
  await store.putBack({ id: row.id, part, text: held ?? '', last: true, atMs })
}
