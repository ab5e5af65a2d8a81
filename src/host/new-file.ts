import { open, rm } from 'node:fs/promises'
import { HoldfastError } from '../model/errors.ts'
import { isSystemError } from './files.ts'

/** A file that was not there before, for its owner only. Without `keep()` it is gone after disposal. */
export interface NewFile extends AsyncDisposable {
  write(text: string): Promise<void>
  /** The text is on disk, and stays. */
  keep(): Promise<void>
}

/** @throws HoldfastError FILE_EXISTS: nothing is overwritten, links are not followed; USAGE where no file can be made */
export async function newFile(path: string): Promise<NewFile> {
  const handle = await open(path, 'wx', 0o600).catch((error: unknown) => {
    if (!isSystemError(error)) throw error
    if (error.code === 'EEXIST') throw new HoldfastError('FILE_EXISTS', { because: path }, { cause: error })
    throw new HoldfastError('USAGE', { because: `${path} cannot be written (${error.code})` }, { cause: error })
  })
  let kept = false
  return {
    write: async (text) => {
      await handle.appendFile(text)
    },
    keep: async () => {
      await handle.sync()
      kept = true
    },
    [Symbol.asyncDispose]: async () => {
      await handle.close()
      if (!kept) await rm(path)
    },
  }
}
