import { HoldfastError } from '../../model/errors.ts'
import { Connection } from './connection.ts'
import { isBusy } from './failures.ts'

/**
 * The data directory belongs to this thread until the connection is closed or the process ends: the kernel drops the
 * lock then, so it is never stale. @throws HoldfastError STORE_IN_USE
 */
export function takeOwnership(path: string): Connection {
  const lock = new Connection(path, false)
  try {
    lock.script('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // a journal file would be left behind by a kill
    return lock
  } catch (error) {
    lock.close()
    if (isBusy(error)) throw new HoldfastError('STORE_IN_USE')
    throw error
  }
}
