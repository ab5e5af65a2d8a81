import { basename, dirname } from 'node:path'
import { sha256 } from '../../../host/random.ts'
import { HoldfastError } from '../../../model/errors.ts'
import { type Attributes, nameBeside, putAt, requireDirectory } from '../../files/create.ts'
import type { Directories } from '../../files/directories.ts'
import { changed } from '../../files/failure.ts'
import type { Judged } from '../../files/identity.ts'
import { readChunks } from '../../files/lines.ts'
import { setModeIfSame } from '../../files/mode.ts'
import { openInside } from '../../files/open.ts'
import { replaceAs } from '../../files/replace.ts'
import { setAside } from '../../files/set-aside.ts'
import { readSmall } from '../../files/text.ts'
import { applyEntryChanges, conflictsIn, type EntryChange, inverseOf } from '../../index/edit.ts'
import { indexBytesMax } from '../../index/parse.ts'
import { readFrame } from '../journal/bundle.ts'
import { openBundle } from '../journal/folder.ts'
import type { Journal } from '../journal/journal.ts'
import type { Announcement, FileRecord, Frame, ManifestLine } from '../journal/manifest.ts'
import { rootOf, type Territory } from '../territory.ts'

/** What undoing is done with. */
export interface Bench {
  home: Territory
  journal: Journal
  nowMs(): number
}

export type Told<Type extends Announcement['type']> = Extract<Announcement, { type: Type }>
export type UndoLine = Extract<ManifestLine, { type: 'undo' }>

export function undoLine(step: number, path: string, atMs: number, will: UndoLine['will'] = null): UndoLine {
  const name = basename(path)
  return { type: 'undo', step, atMs, fresh: nameBeside(name, 'new'), aside: nameBeside(name, 'aside'), will }
}

/**
 * The file is under its name again, with its bytes, mode, owner and time; its directory is made again where it is gone. Names are
 * not synced. @throws HoldfastError FILE_EXISTS, ARCHIVE_DAMAGED, STORE_FULL, HOME_*
 */
export async function putBack(
  { home, journal }: Bench,
  told: Told<'take'>,
  path: string,
  fresh: string,
  directories: Directories,
): Promise<void> {
  const directory = directories.ensure(rootOf(home, path), dirname(path))
  using bundle = await openBundle(home.dir, journal.run, told.copy.file)
  await putAt(directory, basename(path), readFrame(bundle, told.copy), attributesOf(told.was), fresh)
}

/** The file has its old content, mode, owner and time again. @throws HoldfastError HOME_CHANGED, ARCHIVE_DAMAGED, STORE_FULL, HOME_* */
export async function replaceBack(bench: Bench, told: Told<'replace'>, judged: Judged): Promise<void> {
  const { home, journal } = bench
  const line = undoLine(told.step, judged.path, bench.nowMs())
  await journal.append(line)
  using bundle = await openBundle(home.dir, journal.run, told.copy.file)
  await replaceAs(rootOf(home, judged.path), judged, readFrame(bundle, told.copy), {
    freshName: line.fresh,
    attributes: attributesOf(told.was),
    beforeInPlace: () => keepBefore(bench, told.step, judged.path),
  })
}

/**
 * Those entries that nobody has changed since are as they were; all else in the index stays as it is now. Gives the keys of the others.
 * @throws HoldfastError INDEX_UNREADABLE, HOME_CHANGED, ARCHIVE_DAMAGED, STORE_FULL, HOME_*
 */
export async function mergeBack(bench: Bench, told: Told<'replace'>, path: string): Promise<string[]> {
  const { home, journal } = bench
  const root = rootOf(home, path)
  const index = await readSmall(root, path, indexBytesMax)
  if (index === null) throw changed(path, 'it is gone')
  const back = inverseOf(await entriesOf(bench, told.entries))
  const conflicts = new Set(conflictsIn(index.data, back))
  const content = applyEntryChanges(
    index.data,
    back.filter((change) => !conflicts.has(change)),
  )
  const keys = [...conflicts].map(({ key }) => key)
  if (content.equals(index.data)) return keys
  const line = undoLine(told.step, path, bench.nowMs(), { bytes: content.length, sha256: sha256(content) })
  await journal.append(line)
  const judged = { path, identity: index.identity, sha256: sha256(index.data) }
  await replaceAs(root, judged, content, {
    freshName: line.fresh,
    attributes: null,
    beforeInPlace: () => keepBefore(bench, told.step, path),
  })
  return keys
}

/** What a run had created is gone again. @throws HoldfastError HOME_CHANGED, HOME_* */
export async function removeCreated(bench: Bench, step: number, judged: Judged): Promise<void> {
  const { home, journal } = bench
  const line = undoLine(step, judged.path, bench.nowMs())
  await journal.append(line)
  const root = rootOf(home, judged.path)
  const aside = await setAside(root, judged, line.aside)
  if (aside === null) return
  using directory = requireDirectory(root, dirname(judged.path))
  directory.remove(aside.name)
  directory.sync()
}

/** @throws HoldfastError HOME_CHANGED, HOME_* */
export async function modeBack(bench: Bench, told: Told<'mode'>, judged: Judged): Promise<void> {
  await bench.journal.append(undoLine(told.step, judged.path, bench.nowMs()))
  setModeIfSame(rootOf(bench.home, judged.path), judged, told.was)
}

/** What the file holds now is in a bundle and told, since a kill can leave half of it. */
async function keepBefore(bench: Bench, step: number, path: string): Promise<void> {
  using file = await openInside(rootOf(bench.home, path), path)
  if (file === null) throw changed(path, 'it is gone')
  await using bundle = await bench.journal.newBundle()
  const copy = await bundle.add(readChunks(file))
  await bundle.verify([copy])
  await bench.journal.append({ type: 'in place', step, atMs: bench.nowMs(), copy })
}

async function entriesOf({ home, journal }: Bench, frame: Frame | null): Promise<EntryChange[]> {
  if (frame === null) return []
  using bundle = await openBundle(home.dir, journal.run, frame.file)
  const parts: Uint8Array[] = []
  for await (const part of readFrame(bundle, frame)) parts.push(part)
  const found: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
  if (!Array.isArray(found) || !found.every(isEntryChange))
    throw new HoldfastError('MANIFEST_INVALID', { because: `${journal.path}: the entries at ${frame.offset} are none` })
  return found
}

function isEntryChange(found: unknown): found is EntryChange {
  if (typeof found !== 'object' || found === null) return false
  const { key, before, after } = found as Partial<Record<keyof EntryChange, unknown>>
  const isText = (value: unknown) => value === null || typeof value === 'string'
  return typeof key === 'string' && isText(before) && isText(after)
}

function attributesOf({ mode, uid, gid, mtimeNs }: FileRecord): Attributes {
  return { mode, uid, gid, mtimeNs: BigInt(mtimeNs) }
}
