import { lstatSync, promises } from 'node:fs'
import { systemClock } from '../../../src/host/clock.ts'
import { readLinuxProcesses } from '../../../src/host/processes/linux.ts'
import { isHoldfastError } from '../../../src/model/errors.ts'
import { beginRun } from '../../../src/openclaw/changes/begin.ts'
import { identityOf, type Judged, sameIdentity } from '../../../src/openclaw/files/identity.ts'
import { clearable } from '../../../src/openclaw/locks/clear.ts'
import { lookAtLocks } from '../../../src/openclaw/locks/look.ts'

// Judges locks and clears stale ones, again and again. `unlink` is how not to do it: as gateways do, it compares the file once more and
// then removes whatever has the name. Says how many it has cleared.

const [dir = '', sessionsDir = '', way = '', forMs = ''] = process.argv.slice(2)
const home = { dir, receipts: [], agents: [{ id: 'main', sessionsDir, indexPath: '', databasePath: null }] }
const untilMs = Date.now() + Number(forMs)
const told = { cleared: 0, left: 0 }

while (Date.now() < untilMs) {
  const { agents } = await lookAtLocks(home, readLinuxProcesses, Date.now)
  for (const lock of agents.flatMap(({ locks }) => locks)) {
    const target = clearable(lock)
    if (target === null) continue
    const isDone = way === 'unlink' ? await unlink(target.judged) : await archive(target.judged)
    told[isDone ? 'cleared' : 'left'] += 1
  }
}
console.log(JSON.stringify(told))

async function archive(judged: Judged): Promise<boolean> {
  await using run = beginRun(home, 'locks', { clock: systemClock })
  try {
    return (await run.archive(judged, { kind: 'clear-lock', because: 'it is stale', key: null })).done
  } catch (error) {
    if (isHoldfastError(error, 'HOME_BUSY')) return false
    throw error
  }
}

async function unlink({ path, identity }: Judged): Promise<boolean> {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined || !sameIdentity(identity, identityOf(stat))) return false
  await promises.rm(path, { force: true })
  return true
}
