import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, lstatSync, openSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSystemError } from '../../host/files.ts'
import {
  type Attributes,
  type Content,
  createAt,
  nameBeside,
  requireDirectory,
  setAttributes,
  writeContent,
} from './create.ts'
import { sha256Of } from './digest.ts'
import { changed, failureOfWriting, writing } from './failure.ts'
import { type Identity, identityOf, type Judged, sameButRenamed, sameIdentity } from './identity.ts'
import { readChunks } from './lines.ts'
import { type OpenFile, openAt, requireOurs } from './open.ts'
import type { Directory } from './place.ts'

/**
 * The file has this content, on disk, with its mode and owner as before; whoever reads it meanwhile sees the old or the new one. It
 * still was the judged one right before. Where a name cannot be given to another file (it is mounted by itself into a container, or
 * somebody on Windows has it open), it is tried again for a while, and then it is written in place.
 * @returns what it is now
 * @throws HoldfastError HOME_CHANGED, also where it is gone; HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_FULL, STORE_IO: nothing
 * is changed, unless it was being written in place: then what was to be written lies beside it
 */
export async function replaceIfSame(root: string, judged: Judged, content: Content): Promise<Identity> {
  const freshName = nameBeside(basename(judged.path), 'new')
  return await replaceAs(root, judged, content, { freshName, attributes: null, beforeInPlace: async () => {} })
}

export interface Replacing {
  /** What is on its way, beside the file. */
  freshName: string
  /** null: as the old one. */
  attributes: Attributes | null
  /** Called before it is written in place, which alone can be interrupted half-way. */
  beforeInPlace(): Promise<void>
}

/** The same for who keeps a journal of it. */
export async function replaceAs(root: string, judged: Judged, content: Content, how: Replacing): Promise<Identity> {
  const { freshName } = how
  using directory = requireDirectory(root, dirname(judged.path))
  const place = { root, directory, judged, name: basename(judged.path), freshName }
  using old = openAt(root, directory, place.name)
  if (old === null) throw changed(judged.path, 'it is gone')
  requireOurs(old)
  const attributes = how.attributes ?? attributesOf(old)
  if (!sameIdentity(judged.identity, old.identity)) throw changed(judged.path, 'it is not the file that was judged')
  await createAt(directory, freshName, content, attributes)
  const isRenamed = await putOver(place)
  if (!isRenamed) {
    await how.beforeInPlace()
    await writeInPlace(place, attributes)
  } else if (!sameButRenamed(judged.identity, old.identityNow())) {
    await bringBack(place, old)
  }
  directory.sync()
  using fresh = openAt(root, directory, place.name)
  if (fresh === null) throw changed(judged.path, 'it is gone')
  return fresh.identity
}

interface Place {
  root: string
  directory: Directory
  judged: Judged
  name: string
  freshName: string
}

/** Its time is the new content's own. */
function attributesOf({ mode, uid, gid }: OpenFile): Attributes {
  return { mode, uid, gid, mtimeNs: null }
}

/** Waits between tries. Unit: ms. */
const patienceMs = [10, 20, 50, 100, 200]

/** False where the name stays occupied. */
async function putOver({ root, directory, judged, name, freshName }: Place): Promise<boolean> {
  try {
    for (const waitMs of [0, ...patienceMs]) {
      await sleep(waitMs)
      await requireJudged(root, directory, judged)
      try {
        renameSync(directory.at(freshName), directory.at(name))
        return true
      } catch (error) {
        if (!isOccupied(error)) throw failureOfWriting(error, judged.path)
      }
    }
    return false
  } catch (error) {
    directory.remove(freshName)
    throw error
  }
}

function isOccupied(error: unknown): boolean {
  return isSystemError(error, 'EBUSY') || (process.platform === 'win32' && isSystemError(error, 'EPERM', 'EACCES'))
}

/** Its content first, then what it is: after that the next thing is the rename. */
async function requireJudged(root: string, directory: Directory, judged: Judged): Promise<void> {
  using file = openAt(root, directory, basename(judged.path))
  if (file === null) throw changed(judged.path, 'it is gone')
  if (judged.sha256 !== null && sameIdentity(judged.identity, file.identity)) {
    if ((await sha256Of(file)) !== judged.sha256) throw changed(judged.path, 'it has other content than was judged')
  }
  const now = lstatSync(directory.at(basename(judged.path)), { bigint: true, throwIfNoEntry: false })
  if (now === undefined || !sameIdentity(judged.identity, identityOf(now)))
    throw changed(judged.path, 'it is not the file that was judged')
}

async function writeInPlace(place: Place, attributes: Attributes): Promise<void> {
  const { root, directory, judged, name, freshName } = place
  using fresh = openAt(root, directory, freshName)
  if (fresh === null) throw changed(judged.path, 'what was to be written is gone')
  await overwrite(directory, name, judged.identity, readChunks(fresh), attributes)
  directory.remove(freshName)
}

/**
 * The file has this content, on disk, and is the same file: what reads it meanwhile may see half of it. `attributes`: null to leave them.
 * @throws HoldfastError HOME_CHANGED before anything is written, HOME_UNSAFE, HOME_READ_ONLY, STORE_FULL, STORE_IO
 */
export async function overwrite(
  directory: Directory,
  name: string,
  judged: Identity,
  content: Content,
  attributes: Attributes | null,
): Promise<void> {
  const path = join(directory.path, name)
  await writing(path, async () => {
    const { O_NOFOLLOW = 0 }: Partial<typeof constants> = constants
    const fd = openSync(directory.at(name), constants.O_WRONLY | O_NOFOLLOW)
    try {
      if (!sameIdentity(judged, identityOf(fstatSync(fd, { bigint: true }))))
        throw changed(path, 'it is not the file that was judged')
      ftruncateSync(fd, await writeContent(fd, content))
      if (attributes !== null) setAttributes(fd, attributes)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })
}

/** Somebody wrote to the old file between the last look and the rename. It has no name any more, and its bytes get theirs back. */
async function bringBack({ directory, judged, name, freshName }: Place, old: OpenFile): Promise<never> {
  await createAt(directory, freshName, readChunks(old.asNow()), attributesOf(old))
  renameSync(directory.at(freshName), directory.at(name))
  directory.sync()
  throw changed(judged.path, 'it was written right now')
}
