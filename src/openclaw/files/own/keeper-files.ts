import { join } from 'node:path'
import { replaceFile } from '../../../host/replace-file.ts'
import { HoldfastError } from '../../../model/errors.ts'
import { ensureDirectory } from '../create.ts'
import { readSmall } from '../text.ts'
import { lockByKernel, ownFolder } from './writer-lock.ts'

const lockName = 'keeper-lock'
/** What the keeper wrote down of its runs, and where it shows itself: for people and for its next start. */
const noteName = 'keeper.json'
const noteBytesMax = 64 * 1024

/** One keeper for each home; the kernel lets go of it when the process ends. @throws HoldfastError KEEPER_RUNNING, HOME_UNSAFE, HOME_READ_ONLY */
export function takeKeeperLock(home: string): Disposable {
  using folder = ensureDirectory(home, join(home, ownFolder))
  const lock = lockByKernel(folder, lockName)
  if (lock !== null) return lock
  throw new HoldfastError('KEEPER_RUNNING', { because: `it holds ${join(folder.path, lockName)}` })
}

/** Null where there is none. @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE */
export async function readKeeperNote(home: string): Promise<string | null> {
  return (await readSmall(home, join(home, ownFolder, noteName), noteBytesMax))?.data.toString('utf8') ?? null
}

/** False where it cannot be written: it is information only. */
export function writeKeeperNote(home: string, text: string): boolean {
  using folder = ensureDirectory(home, join(home, ownFolder))
  return replaceFile(folder.at(noteName), text)
}
