import { basename, dirname } from 'node:path'
import { isHoldfastError } from '../../model/errors.ts'
import { createAt, nameBeside, putAt } from '../files/create.ts'
import { Directories } from '../files/directories.ts'
import { changed } from '../files/failure.ts'
import { giveName } from '../files/give-name.ts'
import { type Judged, sameButRenamed, sameIdentity } from '../files/identity.ts'
import { readChunks } from '../files/lines.ts'
import { type OpenFile, openAt, requireOurs } from '../files/open.ts'
import type { Directory } from '../files/place.ts'
import { setAsideAt } from '../files/set-aside.ts'
import { type Desk, isLocked, leftOf, recordOf, reportOf, shelfOf, subjectOf } from './desk.ts'
import type { BundleWriter } from './journal/bundle.ts'
import type { Announcement, ManifestLine } from './journal/manifest.ts'
import type { Left, Outcome, StepNote } from './run.ts'
import { refusalOf, rootOf } from './territory.ts'

export interface Taking {
  judged: Judged
  note: StepNote
}

/** Files of one batch share their syncs. */
const filesAtOnce = 256
const bytesAtOnce = 64 * 1024 ** 2

/** Items in order, as many at once as share their syncs. */
export function* inBatches(items: Iterable<Taking>): Generator<Taking[]> {
  let batch: Taking[] = []
  let bytes = 0
  for (const item of items) {
    const more = Number(item.judged.identity.bytes)
    if (batch.length > 0 && (batch.length >= filesAtOnce || bytes + more > bytesAtOnce)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(item)
    bytes += more
  }
  if (batch.length > 0) yield batch
}

/** One file in its bundle. */
interface Copied {
  item: Taking
  told: Extract<Announcement, { type: 'take' }>
}

/**
 * Files go to the archive and from their place, all or some: copied, read back, told in the manifest, compared once more, removed,
 * reported. Outcomes stand in the order of the batch and can be fewer: the rest waits until the first ones have made room.
 */
export async function takeBatch(desk: Desk, batch: readonly Taking[]): Promise<Outcome[]> {
  using directories = new Directories()
  using taken = new Taken()
  const copies = await copyBatch(desk, batch, directories)
  try {
    await desk.journal.append(...copies.flatMap((each) => ('told' in each ? [each.told] : [])))
  } catch (error) {
    const left = leftOf(error)
    return copies.map((each) => ('told' in each ? left : each))
  }
  const outcomes: Outcome[] = []
  const reports: ManifestLine[] = []
  for (const each of copies) {
    outcomes.push('told' in each ? await takeOut(desk, each, directories, taken) : each)
  }
  directories.sync()
  for (const [at, each] of copies.entries()) {
    if (!('told' in each)) continue
    const outcome = (await taken.whatCameLate(each)) ?? (outcomes[at] as Outcome)
    outcomes[at] = outcome
    reports.push(reportOf(desk, each.told.step, outcome, null))
  }
  await desk.journal.report(...reports)
  return outcomes
}

async function copyBatch(desk: Desk, batch: readonly Taking[], directories: Directories): Promise<(Copied | Left)[]> {
  const found: (Copied | Left)[] = []
  const used = new Map<BundleWriter, Copied[]>()
  for (const item of batch) {
    try {
      const bundle = await desk.bundleFor(shelfOf(item.note))
      const copied = await copy(desk, item, bundle, directories)
      found.push(copied)
      if ('told' in copied) used.set(bundle, [...(used.get(bundle) ?? []), copied])
    } catch (error) {
      const left = leftOf(error)
      if (left.left === 'no room' && found.some((each) => 'told' in each)) break
      found.push(left)
    }
  }
  for (const [bundle, copies] of used) await bundle.verify(copies.map(({ told }) => told.copy))
  return found
}

async function copy(desk: Desk, item: Taking, bundle: BundleWriter, directories: Directories): Promise<Copied | Left> {
  const { judged, note } = item
  const refusal = refusalOf(desk.home, judged.path)
  if (refusal !== null) return { done: false, left: 'unsafe', because: refusal }
  const root = rootOf(desk.home, judged.path)
  const name = basename(judged.path)
  const directory = directories.open(root, dirname(judged.path))
  using file = directory === null ? null : openAt(root, directory, name)
  if (file === null) return missing
  requireOurs(file)
  if (!sameIdentity(judged.identity, file.identity)) throw changed(judged.path, 'it is not the file that was judged')
  const was = recordOf(file)
  const frame = await bundle.add(readChunks(file))
  if (judged.sha256 !== null && frame.sha256 !== judged.sha256) {
    await bundle.drop(frame)
    throw changed(judged.path, 'it has other content than was judged')
  }
  const aside = nameBeside(name, 'aside')
  return { item, told: { type: 'take', ...subjectOf(desk, judged.path, note), was, copy: frame, aside } }
}

const missing: Left = { done: false, left: 'missing', because: 'it is not there any more' }

async function takeOut(desk: Desk, copied: Copied, directories: Directories, taken: Taken): Promise<Outcome> {
  const { told } = copied
  const { judged } = copied.item
  const name = basename(judged.path)
  const root = rootOf(desk.home, judged.path)
  try {
    const directory = directories.open(root, dirname(judged.path))
    if (directory === null) return missing
    if (isLocked(desk, directory, name)) return { done: false, left: 'locked', because: `${name}.lock is there` }
    const aside = await setAsideAt(root, directory, { ...judged, sha256: told.copy.sha256 }, told.aside)
    if (aside === null) return missing
    taken.hold(copied, openAt(root, directory, aside.name), directory)
    removeAside(directory, aside.name, name)
    return { done: true, bytes: Number(judged.identity.bytes) }
  } catch (error) {
    return leftOf(error)
  }
}

function removeAside(directory: Directory, aside: string, name: string): void {
  try {
    directory.remove(aside)
  } catch (error) {
    giveName(directory, aside, name)
    throw error
  }
}

/**
 * Files of a batch that have no name any more, held open until its end: somebody may have opened one under its old name, and write to it
 * only now. Then it gets its name back with all that is in it.
 */
class Taken implements Disposable {
  readonly #files = new Map<Copied, { file: OpenFile; directory: Directory }>()

  hold(copied: Copied, file: OpenFile | null, directory: Directory): void {
    if (file !== null) this.#files.set(copied, { file, directory })
  }

  /** Null where nobody has written to it. */
  async whatCameLate(copied: Copied): Promise<Left | null> {
    const held = this.#files.get(copied)
    if (held === undefined || sameButRenamed(copied.item.judged.identity, held.file.identityNow())) return null
    const { file, directory } = held
    const { path } = copied.item.judged
    const now = file.asNow()
    const { mode, uid, gid } = now
    const attributes = { mode, uid, gid, mtimeNs: now.identity.mtimeNs }
    const name = basename(path)
    const because = 'somebody wrote to it right now'
    try {
      await putAt(directory, name, readChunks(now), attributes, nameBeside(name, 'new'))
      return { done: false, left: 'changed', because }
    } catch (error) {
      if (!isHoldfastError(error, 'FILE_EXISTS')) throw error
      const beside = nameBeside(name, 'aside') // its name is a new file's
      await createAt(directory, beside, readChunks(now), attributes)
      return { done: false, left: 'changed', because: `${because}, and a new file has its name: it is ${beside}` }
    } finally {
      directory.sync()
    }
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#files.values()) file[Symbol.dispose]()
  }
}
