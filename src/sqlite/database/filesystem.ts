import { untrustedFilesystemOf } from '../../host/filesystem.ts'
import { HoldfastError } from '../../model/errors.ts'

/** SQLite's WAL needs locks and shared memory that can be relied on. @throws HoldfastError STORE_FILESYSTEM */
export function checkFilesystem(directory: string): void {
  const found = untrustedFilesystemOf(directory)
  if (found !== null) throw new HoldfastError('STORE_FILESYSTEM', { found, directory })
}
