import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { isSystemError } from './files.ts'
import { randomId } from './random.ts'

/**
 * Afterwards the file holds this text and nothing else, for its owner only (0600). Replaced as a whole, so that a reader never
 * sees half of it; after a power cut it may be the earlier one. False where the system does not let it be written.
 */
export function replaceFile(path: string, text: string): boolean {
  const fresh = `${path}.${randomId()}`
  try {
    writeFileSync(fresh, text, { mode: 0o600, flag: 'wx' })
    renameSync(fresh, path)
    return true
  } catch (error) {
    if (!isSystemError(error)) throw error
    rmSync(fresh, { force: true })
    return false
  }
}
