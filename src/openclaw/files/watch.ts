import { watch } from 'node:fs'
import { isSystemError } from '../../host/files.ts'

/**
 * Calls `changed` with a name in the directory when something may have happened to it, until disposed. A hint only: systems leave
 * events out, and a directory that is replaced is watched no more. null where the system cannot watch it (no such directory, no
 * watches left, a network file system).
 */
export function watchDirectory(directory: string, changed: (name: string) => void): Disposable | null {
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      if (name !== null) changed(name)
    })
    watcher.on('error', () => watcher.close())
    return { [Symbol.dispose]: () => watcher.close() }
  } catch (error) {
    if (!isSystemError(error)) throw error
    return null
  }
}
