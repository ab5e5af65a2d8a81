import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { patiently } from '../database/busy.ts'
import { openForWriting, prepareFile } from '../database/connection.ts'
import { lockName, markMade, prepareDirectory } from '../database/directory.ts'
import { checkIdentity } from '../database/identity.ts'
import { takeOwnership } from '../database/lock.ts'
import { migrate, migrations } from '../database/migrate.ts'
import type { ThreadData } from './calls.ts'
import { Writer } from './writer.ts'

/**
 * Takes the data directory and gives its writer; the lock is let go after the database is closed.
 * @throws HoldfastError every STORE_ code of opening
 */
export function openOwned(port: MessagePort, data: ThreadData): Writer {
  const directory = dirname(data.path)
  const usedBefore = existsSync(join(directory, lockName))
  prepareDirectory(directory, data.trustFilesystem)
  const lock = takeOwnership(join(directory, lockName))
  try {
    patiently(() => checkIdentity(data.path, usedBefore))
    patiently(() => prepareFile(data.path))
    const db = openForWriting(data.path, data.durability)
    try {
      patiently(() => migrate(db, data.path, migrations, data.atMs))
    } finally {
      db.close()
    }
    markMade(directory)
    return new Writer(port, data, () => lock.close())
  } catch (error) {
    lock.close()
    throw error
  }
}
