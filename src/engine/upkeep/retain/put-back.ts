import { ArchiveFolder } from '../../../archive/folder.ts'
import { readFrame, verifyFrame } from '../../../archive/frames.ts'
import type { BundleState, ItemName, ManifestItem } from '../../../archive/manifest.ts'
import type { ArchivedTranscript } from '../../../model/archives.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import { dropExtra, indexOf, type Keeping } from './settle.ts'

export interface PutBackReport {
  restored: ItemName[]
  /** Is there already, under its number or with one of its ids. */
  conflicts: ItemName[]
}

/**
 * Puts these archived transcripts of one folder back, to the byte. All of them are read and compared with their SHA-256 before the
 * first is changed. @throws HoldfastError ARCHIVE_DAMAGED, ARCHIVE_NOT_FOUND: nothing was changed
 */
export async function putBack(
  keeping: Keeping,
  folder: ArchiveFolder,
  isWanted: (row: ArchivedTranscript) => boolean,
  onStep: (name: ItemName) => void = () => {},
): Promise<PutBackReport> {
  const rows = (await indexOf(keeping, folder.name)).filter(isWanted)
  const found = rows.map((row) => ({ row, ...itemOf(folder, row) }))
  for (const { bundle, item } of found) await verifyFrame(folder.pathOf(bundle.file), item)
  const report: PutBackReport = { restored: [], conflicts: [] }
  // The newest first, which are in the last bundles: they bring their sessions, and the earlier ones join.
  const bundles = [...new Set(found.map((each) => each.bundle))].sort((a, b) => (a.file < b.file ? 1 : -1))
  for (const bundle of bundles) {
    const here = found.filter((each) => each.bundle === bundle).sort((a, b) => b.item.transcript - a.item.transcript)
    const { restored, conflicts } = await putBackOf(keeping, folder, bundle, here, onStep)
    report.restored.push(...restored)
    report.conflicts.push(...conflicts)
  }
  return report
}

function itemOf(folder: ArchiveFolder, row: ArchivedTranscript): { bundle: BundleState; item: ManifestItem } {
  const bundle = folder.state.bundles.get(row.file)
  const item = bundle?.items.find(({ key, transcript }) => key === row.sessionKey && transcript === row.transcript)
  if (bundle !== undefined && item !== undefined) return { bundle, item }
  throw new HoldfastError('ARCHIVE_DAMAGED', { because: `${folder.manifestPath} does not name it`, id: row.id })
}

async function putBackOf(
  keeping: Keeping,
  folder: ArchiveFolder,
  bundle: BundleState,
  found: readonly { row: ArchivedTranscript; item: ManifestItem }[],
  onStep: (name: ItemName) => void,
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
      onStep(name)
    } catch (error) {
      if (!isHoldfastError(error, 'ARCHIVE_CONFLICT')) throw error
      report.conflicts.push(name)
    }
  }
  await folder.append({ type: 'put back', atMs: clock.nowMs(), file, items: report.restored })
  await dropExtra(keeping, folder, bundle, 'all of it was put back')
  return report
}

/** The last part is sent only when all before it was right. */
async function putBackOne({ store, clock }: Keeping, row: ArchivedTranscript, path: string, item: ManifestItem) {
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

/** Opens the folder in which a row says that its bundle is. @throws HoldfastError ARCHIVE_NOT_FOUND, ARCHIVE_DAMAGED */
export async function openFolder(
  { root }: Keeping,
  name: Pick<ArchivedTranscript, 'place' | 'sweep'>,
): Promise<ArchiveFolder> {
  const folder = await ArchiveFolder.open(root, { place: name.place, folder: name.sweep })
  if (folder === null) throw new HoldfastError('ARCHIVE_NOT_FOUND', { because: `${name.place}/${name.sweep}` })
  return folder
}
