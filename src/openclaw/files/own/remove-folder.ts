import { rmdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isSystemError } from '../../../host/files.ts'
import { failureOfWriting } from '../failure.ts'
import { openDirectory } from '../place.ts'

/** Of a folder of ours these names are gone, and it too unless something else is in it. @throws HoldfastError HOME_UNSAFE, HOME_READ_ONLY, STORE_IO */
export function removeFolder(root: string, path: string, names: readonly string[]): void {
  using above = openDirectory(root, dirname(path))
  if (above === null) return
  {
    using folder = openDirectory(root, path)
    if (folder === null) return
    for (const name of names) folder.remove(name)
  }
  try {
    rmdirSync(above.at(basename(path)))
  } catch (error) {
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw failureOfWriting(error, path)
  }
  above.sync()
}
