import { renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type HoldfastError, isHoldfastError } from '../../model/errors.ts'
import { nameBeside } from './create.ts'
import { sha256Of } from './digest.ts'
import { changed, writing } from './failure.ts'
import { giveName } from './give-name.ts'
import { type Judged, sameButRenamed, sameIdentity } from './identity.ts'
import { openAt, requireOurs } from './open.ts'
import { type Directory, openDirectory } from './place.ts'

/** A file under another name beside its own, proven to be the judged one. */
export interface SetAside {
  /** Where it lies now. */
  path: string
  name: string
}

/**
 * Takes a file out of its place: renamed to a unique name beside it, and only then compared, so that it cannot be swapped between
 * the look and the act. Where it is not the judged one it is back under its name. Null where nothing has the name.
 * Names are not synced. @throws HoldfastError HOME_CHANGED, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_IO
 */
export async function setAside(
  root: string,
  judged: Judged,
  asideName = nameBeside(basename(judged.path), 'aside'),
): Promise<SetAside | null> {
  using directory = openDirectory(root, dirname(judged.path))
  if (directory === null) return null
  return await setAsideAt(root, directory, judged, asideName)
}

/** The same in a directory that is open. */
export async function setAsideAt(
  root: string,
  directory: Directory,
  judged: Judged,
  asideName: string,
): Promise<SetAside | null> {
  const name = basename(judged.path)
  using file = openAt(root, directory, name)
  if (file === null) return null
  requireOurs(file)
  if (!sameIdentity(judged.identity, file.identity)) throw changed(judged.path, 'it is not the file that was judged')
  const path = join(directory.path, asideName)
  await writing(judged.path, () => {
    if (directory.has(asideName)) throw changed(path, 'something stands there already')
    renameSync(directory.at(name), directory.at(asideName))
  })
  const failure = await whyNotJudged(root, directory, asideName, judged)
  if (failure === null) return { path, name: asideName }
  if (giveName(directory, asideName, name)) throw failure
  throw changed(judged.path, `it was changed right now, and so was its name: what was taken is ${path}`)
}

async function whyNotJudged(
  root: string,
  directory: Directory,
  name: string,
  judged: Judged,
): Promise<HoldfastError | null> {
  try {
    using file = openAt(root, directory, name)
    const isSame =
      file !== null &&
      sameButRenamed(judged.identity, file.identity) &&
      (judged.sha256 === null || (await sha256Of(file)) === judged.sha256) &&
      sameButRenamed(judged.identity, file.identityNow())
    return isSame ? null : changed(judged.path, 'it was changed right now')
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return error
  }
}
