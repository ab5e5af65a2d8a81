import { closeSync, constants, fchownSync, fstatSync, lstatSync, openSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { nameBeside, requireDirectory } from './create.ts'
import { failureOfWriting } from './failure.ts'
import { giveName } from './give-name.ts'
import { type Identity, identityOf } from './identity.ts'
import type { Directory } from './place.ts'

/**
 * A file that says by being there that somebody is at work, as gateways' lock files do. It need not outlive the machine, so it is not
 * synced; whoever sees it sees its text. Null where anything has the name already. A kill on the way leaves `<name>.holdfast-….new`.
 * @throws HoldfastError HOME_READ_ONLY, STORE_FULL, STORE_IO, HOME_UNSAFE
 */
export function claimName(root: string, path: string, text: string): Identity | null {
  using directory = requireDirectory(root, dirname(path))
  const name = basename(path)
  if (directory.has(name)) return null
  const freshName = nameBeside(name, 'new')
  try {
    const made = makeFile(directory, freshName, text)
    if (giveName(directory, freshName, name)) return made
  } catch (error) {
    directory.remove(freshName)
    throw failureOfWriting(error, path)
  }
  directory.remove(freshName)
  return null
}

function makeFile(directory: Directory, name: string, text: string): Identity {
  const { O_NOFOLLOW = 0 }: Partial<typeof constants> = constants
  const fd = openSync(directory.at(name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | O_NOFOLLOW, 0o600)
  try {
    if (process.geteuid?.() === 0) fchownSync(fd, directory.uid, directory.gid)
    writeSync(fd, text)
    return identityOf(fstatSync(fd, { bigint: true }))
  } finally {
    closeSync(fd)
  }
}

/** Nothing has the name any more, unless it has been given to another file meanwhile: that one stays. */
export function releaseName(root: string, path: string, claimed: Identity): void {
  using directory = requireDirectory(root, dirname(path))
  const now = lstatSync(directory.at(basename(path)), { bigint: true, throwIfNoEntry: false })
  if (now?.dev === claimed.dev && now.ino === claimed.ino) directory.remove(basename(path))
}
