import { closeSync, constants, fchownSync, fstatSync, lstatSync, openSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isSystemError } from '../../host/files.ts'
import { requireDirectory } from './create.ts'
import { failureOfWriting } from './failure.ts'
import { type Identity, identityOf } from './identity.ts'

/**
 * A file that says by being there that somebody is at work, as gateways' lock files do. It need not outlive the machine, so it is not
 * synced. Null where anything has the name already. @throws HoldfastError HOME_READ_ONLY, STORE_FULL, STORE_IO, HOME_UNSAFE
 */
export function claimName(root: string, path: string, text: string): Identity | null {
  using directory = requireDirectory(root, dirname(path))
  const { O_NOFOLLOW = 0 }: Partial<typeof constants> = constants
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | O_NOFOLLOW
  let fd: number | null = null
  try {
    fd = openSync(directory.at(basename(path)), flags, 0o600)
    if (process.geteuid?.() === 0) fchownSync(fd, directory.uid, directory.gid)
    writeSync(fd, text)
    return identityOf(fstatSync(fd, { bigint: true }))
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return null
    if (fd !== null) directory.remove(basename(path))
    throw failureOfWriting(error, path)
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

/** Nothing has the name any more, unless it has been given to another file meanwhile: that one stays. */
export function releaseName(root: string, path: string, claimed: Identity): void {
  using directory = requireDirectory(root, dirname(path))
  const now = lstatSync(directory.at(basename(path)), { bigint: true, throwIfNoEntry: false })
  if (now?.dev === claimed.dev && now.ino === claimed.ino) directory.remove(basename(path))
}
