import { rmSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { readLinuxProcesses } from '../../../src/host/processes/linux.ts'
import { recordOf } from '../../../src/model/errors.ts'
import { setAside } from '../../../src/openclaw/files/set-aside.ts'
import { readSmall } from '../../../src/openclaw/files/text.ts'
import { clearable } from '../../../src/openclaw/locks/clear.ts'
import { lookAtLocks } from '../../../src/openclaw/locks/look.ts'

// Judges the one lock of a sessions directory and takes it if it is stale: what happened, as JSON. `unlink` is how not to do it: one more
// look, and then whatever has the name is removed; in between it waits for its input to end.

const [dir = '', sessionsDir = '', way = ''] = process.argv.slice(2)
const agent = { id: 'main', sessionsDir, indexPath: '', databasePath: null }
const { agents } = await lookAtLocks({ dir, agents: [agent] }, readLinuxProcesses, Date.now)
const [lock] = agents.flatMap(({ locks }) => locks)
const target = lock === undefined ? null : clearable(lock)
if (target === null) throw new Error(`not to be cleared: ${lock?.verdict}`)
if (way === 'unlink') await unlink(target.judged.path)
else await aside()

async function unlink(path: string): Promise<void> {
  if ((await readSmall(sessionsDir, path, 1_000)) === null) return
  console.log('looked')
  await text(process.stdin)
  rmSync(path)
}

async function aside(): Promise<void> {
  try {
    const taken = target === null ? null : await setAside(sessionsDir, target.judged)
    console.log(JSON.stringify({ aside: taken?.name ?? null }))
  } catch (error) {
    const { code, facts } = recordOf(error)
    console.log(JSON.stringify({ code, because: facts.because }))
  }
}
