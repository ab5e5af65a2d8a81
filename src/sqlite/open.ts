import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isSystemError } from '../host/files.ts'
import { packageVersion } from '../host/version.ts'
import { HoldfastError, isHoldfastError } from '../model/errors.ts'
import { RelationalStore } from '../relational/handle.ts'
import type { OpenStore, Store, StoreTelemetry } from '../store/port.ts'
import { databaseName, findDatabase } from './database/directory.ts'
import { type Owner, readOwner, removeOwner, writeOwner } from './owner.ts'
import { logBytes } from './threads/calls.ts'
import { Threads } from './threads/threads.ts'

export interface SqliteOptions {
  /** Free bytes on the disk below which the store takes nothing new. Unit: bytes; 64 MB when absent. */
  diskReserveBytes?: number
  /** `unsafe-for-tests` loses answered writes at a power cut: only to see a test of that fail. */
  synchronous?: 'full' | 'unsafe-for-tests'
  /** Opens on a network file system too. Its locks must work, or two gateways will damage the data. */
  trustFilesystem?: boolean
}

const diskReserveDefaultBytes = 64 * 1024 ** 2

/**
 * A store in `directory`, which is made when it is not there (0700, files 0600). Opening takes the directory for this
 * process; nobody else can open it for writing until `close()` or the end of the process, however it ends.
 * @throws HoldfastError STORE_IN_USE, STORE_FOREIGN, STORE_NEWER, STORE_CORRUPT, STORE_PERMISSION, STORE_FILESYSTEM,
 * STORE_SQLITE_TOO_OLD, BACKUP_FAILED (of the copy before a migration)
 */
export function sqliteStore(directory: string, options: SqliteOptions = {}): OpenStore {
  const root = resolve(directory)
  const open: OpenStore = async ({ holder, telemetry, atMs }) => {
    const threads = new Threads(threadData(root, options, { readOnly: false, atMs }), telemetry)
    try {
      await threads.opened()
    } catch (error) {
      throw isHoldfastError(error, 'STORE_IN_USE') ? inUse(root) : error
    }
    tryWriteOwner(root, {
      pid: holder.pid,
      sinceMs: holder.sinceMs,
      host: holder.host,
      address: null,
      socket: null,
      version: packageVersion(),
    })
    return new RelationalStore(threads, () => removeOwner(root))
  }
  return Object.assign(open, { directory: root })
}

/**
 * Reads beside an owner that lives, also one that hangs; every write verb throws STORE_READ_ONLY.
 * @throws HoldfastError STORE_MISSING, STORE_FOREIGN, STORE_NEWER, STORE_CORRUPT, STORE_PERMISSION
 */
export async function openReadOnly(directory: string): Promise<Store> {
  const root = resolve(directory)
  findDatabase(root)
  const threads = new Threads(threadData(root, {}, { readOnly: true, atMs: 0 }), silent)
  await threads.opened()
  return new RelationalStore(threads, () => {})
}

/** Is there a database file in the directory? Whether it is ours, and whole, opening it tells. */
export function holdsStore(directory: string): boolean {
  return existsSync(join(directory, databaseName))
}

const silent: StoreTelemetry = { verb: () => {}, commit: () => {}, writable: () => {} }

function threadData(root: string, options: SqliteOptions, { readOnly, atMs }: { readOnly: boolean; atMs: number }) {
  return {
    path: join(root, databaseName),
    readOnly,
    trustFilesystem: options.trustFilesystem ?? false,
    durability: options.synchronous ?? ('full' as const),
    diskReserveBytes: options.diskReserveBytes ?? diskReserveDefaultBytes,
    atMs,
    log: new SharedArrayBuffer(logBytes),
  }
}

function inUse(root: string): HoldfastError {
  const owner = readOwner(root)
  if (owner === null) return new HoldfastError('STORE_IN_USE', { directory: root })
  const { pid, sinceMs, address } = owner
  return new HoldfastError('STORE_IN_USE', { directory: root, pid, sinceMs, address })
}

/** On a full disk the store still opens; who has it is then not told. */
function tryWriteOwner(root: string, owner: Owner): void {
  try {
    writeOwner(root, owner)
  } catch (error) {
    if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error
  }
}
