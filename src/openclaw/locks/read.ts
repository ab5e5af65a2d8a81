import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { isHoldfastError } from '../../model/errors.ts'
import type { Listed } from '../files/list.ts'
import { readSmall, type SmallFile } from '../files/text.ts'
import { type Payload, parsePayload, payloadBytesMax } from '../gateway/payload.ts'
import { kindOfName } from '../home/names.ts'
import type { LockFacts, LockPayload } from './verdict.ts'

/** A lock that is being written is read again; a gateway needs less than a millisecond for it. */
const readsMax = 5

function isLockName(name: string): boolean {
  const { kind } = kindOfName(name)
  return kind === 'lock' || kind === 'index-lock'
}

/** What the locks of a directory say that was listed. The ending first: of most files nothing more has to be asked. */
export async function readLocks(root: string, directory: string, listed: readonly Listed[]): Promise<LockFacts[]> {
  const locks: LockFacts[] = []
  for (const each of listed) {
    const lock = each.name.endsWith('.lock') && isLockName(each.name) ? await readLock(root, directory, each) : null
    if (lock !== null) locks.push(lock)
  }
  return locks
}

/**
 * What a lock file says; null where it has gone since it was listed. `root` is the home. What is no file, is too long or may not be
 * read is told as that. The processes are to be listed after this, never before: see `judgeLock`.
 */
async function readLock(root: string, directory: string, listed: Listed): Promise<LockFacts | null> {
  const path = join(directory, listed.name)
  const seen = {
    path,
    what: listed.what,
    identity: listed.identity,
    mtimeMs: msOf(listed.identity.mtimeNs),
    sha256: null,
  }
  if (listed.what !== 'file') return { ...seen, payload: { malformed: `it is a ${listed.what} and no file` } }
  if (listed.identity.bytes > payloadBytesMax)
    return { ...seen, payload: { malformed: `it has ${listed.identity.bytes} bytes` } }
  const read = await readQuietly(root, path)
  if (read === null) return null
  if ('unreadable' in read) return { ...seen, payload: read }
  const { identity, data } = read
  const told = parsePayload(data)
  const payload = 'malformed' in told ? told : payloadOf(told)
  const sha256 = createHash('sha256').update(data).digest('hex')
  return { path, what: 'file', identity, mtimeMs: msOf(identity.mtimeNs), sha256, payload }
}

function payloadOf({ pid, createdAtMs, maxHoldMs, startTicks }: Payload): LockPayload {
  return { pid, createdAtMs, maxHoldMs, startTicks }
}

async function readQuietly(root: string, path: string): Promise<SmallFile | { unreadable: string } | null> {
  for (let reads = 1; ; reads += 1) {
    try {
      return await readSmall(root, path, payloadBytesMax)
    } catch (error) {
      if (isHoldfastError(error, 'HOME_CHANGED') && reads < readsMax) continue
      if (
        !isHoldfastError(error, 'HOME_CHANGED') &&
        !isHoldfastError(error, 'HOME_UNREADABLE') &&
        !isHoldfastError(error, 'HOME_UNSAFE')
      )
        throw error
      return { unreadable: String(error.facts.because ?? error.message) }
    }
  }
}

function msOf(ns: bigint): number {
  return Number(ns / 1_000_000n)
}
