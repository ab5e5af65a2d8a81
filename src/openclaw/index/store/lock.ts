import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../../host/clock.ts'
import { currentHolder, stateOf } from '../../../host/process.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import { claimName, releaseName } from '../../files/claim.ts'
import { requireDirectory } from '../../files/create.ts'
import { lockByKernel } from '../../files/own/writer-lock.ts'
import { openDirectory } from '../../files/place.ts'
import { setAside } from '../../files/set-aside.ts'
import { readSmall, type SmallFile } from '../../files/text.ts'
import type { AgentHome } from '../../home/home.ts'
import { isRecord, parsedJson } from '../text/json.ts'

/*
 * Who may write an index. Two locks, one after the other:
 *
 * - `<index>.holdfast-guard`: kept by the kernel, between processes of ours. Never stale.
 * - `<index>.lock`: a gateway up to 2026.4.29 takes it before it writes, and so may other tools. It holds, as 2-space JSON with a line feed,
 *   `{ "pid", "createdAt", "maxHoldMs", "starttime" }`, and from us also `"holdfast": { "host", "bootId", "pidNamespace" }`, so that the
 *   process can be judged where it lives. It is taken from its holder only on proof that the process has ended: whoever has the
 *   guard may do so, therefore one at a time. A gateway takes it from everybody after 30 s by its clock; we hold it for one write.
 */

export interface IndexLock extends Disposable {}

/** A gateway calls a lock stale after this; we promise less in ours. Unit: ms. */
const holdMs = 20_000
/** A lock file without a readable holder may be one that is being written. Unit: ms. */
const writingMs = 30_000
/** Between two tries, growing. Unit: ms. */
const patienceMs = [1, 2, 5, 10, 20]

const lockBytesMax = 16 * 1024

/** Waits until `deadlineMs` of the steady clock. @throws HoldfastError HOME_BUSY then, HOME_UNSAFE, HOME_READ_ONLY, STORE_FULL, STORE_IO */
export async function lockIndex(agent: AgentHome, root: string, clock: Clock, deadlineMs: number): Promise<IndexLock> {
  const guardName = `${basename(agent.indexPath)}.holdfast-guard`
  const guard = await tryUntil(clock, deadlineMs, 'another process of Holdfast writes this index', async () => {
    using directory = requireDirectory(root, dirname(agent.indexPath))
    return lockByKernel(directory, guardName)
  })
  try {
    const path = `${agent.indexPath}.lock`
    const claimed = await tryUntil(clock, deadlineMs, `${path} is held by somebody who may be at work`, async () => {
      const claim = () => claimName(root, path, lockPayload(clock.nowMs(), holdMs))
      return claim() ?? ((await reclaim(root, path, clock.nowMs())) ? claim() : null)
    })
    return held(guard, () => releaseName(root, path, claimed))
  } catch (error) {
    guard[Symbol.dispose]()
    throw error
  }
}

function held(guard: Disposable, release: () => void): IndexLock {
  return {
    [Symbol.dispose]() {
      try {
        release()
      } finally {
        guard[Symbol.dispose]()
      }
    },
  }
}

async function tryUntil<T>(
  clock: Clock,
  deadlineMs: number,
  because: string,
  attempt: () => Promise<T | null>,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    const got = await attempt()
    if (got !== null) return got
    if (clock.steadyMs() >= deadlineMs) throw new HoldfastError('HOME_BUSY', { because }, { retryAfterMs: 1_000 })
    await sleep(patienceMs[Math.min(tries, patienceMs.length - 1)] as number)
  }
}

/** What stands in a lock file that we take: as a gateway writes it, and where our process lives. */
export function lockPayload(nowMs: number, maxHoldMs: number): string {
  const { host, bootId, pidNamespace, pid, startTicks } = currentHolder(nowMs)
  const createdAt = new Date(nowMs).toISOString()
  const lock = { pid, createdAt, maxHoldMs, ...(startTicks === null ? {} : { starttime: startTicks }) }
  return `${JSON.stringify({ ...lock, holdfast: { host, bootId, pidNamespace } }, null, 2)}\n`
}

/** True when a lock was there whose holder has ended, and is gone; any other stays. */
async function reclaim(root: string, path: string, nowMs: number): Promise<boolean> {
  try {
    const file = await readSmall(root, path, lockBytesMax)
    if (file === null || !isLeft(file, nowMs)) return file === null
    const aside = await setAside(root, { path, identity: file.identity, sha256: null })
    if (aside === null) return true
    using directory = openDirectory(root, dirname(path))
    directory?.remove(aside.name)
    return true
  } catch (error) {
    // somebody else has taken it or let it go meanwhile: it is tried again
    if (!isHoldfastError(error, 'HOME_CHANGED')) throw error
    return false
  }
}

function isLeft({ data, identity }: SmallFile, nowMs: number): boolean {
  const holder = holderIn(data.toString())
  if (holder === null) return nowMs - Number(identity.mtimeNs / 1_000_000n) > writingMs
  return holder.judgeable && stateOf(holder) === 'has ended'
}

type Holder = Parameters<typeof stateOf>[0] & { judgeable: boolean }

/** Null where it names nobody. A gateway's names a process and not where that lives, so that it cannot be judged here. */
function holderIn(text: string): Holder | null {
  const lock = parsedJson(text)
  if (!isRecord(lock) || typeof lock.pid !== 'number') return null
  const { host, bootId, pidNamespace } = isRecord(lock.holdfast) ? lock.holdfast : {}
  return {
    judgeable: typeof host === 'string',
    host: String(host),
    bootId: typeof bootId === 'string' ? bootId : null,
    pidNamespace: typeof pidNamespace === 'string' ? pidNamespace : null,
    pid: lock.pid,
    startTicks: typeof lock.starttime === 'number' ? lock.starttime : null,
  }
}
