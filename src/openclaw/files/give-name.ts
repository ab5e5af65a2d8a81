import { linkSync, lstatSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../host/files.ts'
import { failureOfWriting } from './failure.ts'
import type { Directory } from './place.ts'

/**
 * A file that lies beside its name has the name; false where something else has it by now, which is not overwritten: a lock, for one, may
 * have been taken in the moment in between. Where it has both names, because a process was killed here, the one beside goes.
 * @throws HoldfastError HOME_READ_ONLY, STORE_FULL, STORE_IO, HOME_UNSAFE
 */
export function giveName(directory: Directory, besideName: string, name: string): boolean {
  const [from, to] = [directory.at(besideName), directory.at(name)]
  try {
    linkSync(from, to) // a rename would take the name from whoever has it
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) {
      if (!isSameFile(from, to)) return false
    } else if (isSystemError(error, ...withoutLinks)) {
      return renameBack(directory, besideName, name)
    } else {
      throw failureOfWriting(error, join(directory.path, name))
    }
  }
  directory.remove(besideName)
  return true
}

/** File systems that have no hard links, or none for this user, answer so. */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EISDIR'] as const

function renameBack(directory: Directory, besideName: string, name: string): boolean {
  if (directory.has(name)) return false
  try {
    renameSync(directory.at(besideName), directory.at(name))
  } catch (error) {
    throw failureOfWriting(error, join(directory.path, name))
  }
  return true
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }))
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino
}
