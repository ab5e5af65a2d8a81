import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { readLinuxProcesses } from '../../../src/host/processes/linux.ts'
import { recordOf } from '../../../src/model/errors.ts'
import { setAside } from '../../../src/openclaw/files/set-aside.ts'
import { readSmall } from '../../../src/openclaw/files/text.ts'
import { clearable } from '../../../src/openclaw/locks/clear.ts'
import { lookAtLocks } from '../../../src/openclaw/locks/look.ts'

// Judges the one lock of a sessions directory, says so, and takes it if it is stale: what happened, as JSON. `unlink` is how not to do it:
// one more look, and then whatever has the name is removed.

const [dir = '', sessionsDir = '', way = ''] = process.argv.slice(2)
const agent = { id: 'main', sessionsDir, indexPath: '', databasePath: null }
const { agents } = await lookAtLocks({ dir, agents: [agent] }, readLinuxProcesses, Date.now)
const [lock] = agents.flatMap(({ locks }) => locks)
const target = lock === undefined ? null : clearable(lock)
if (target === null) throw new Error(`not to be cleared: ${lock?.verdict}`)
console.log('judged')
try {
  if (way === 'unlink' && (await readSmall(sessionsDir, target.judged.path, 1_000)) !== null) rmSync(target.judged.path)
  const aside = way === 'unlink' ? null : await setAside(dirname(target.judged.path), target.judged)
  console.log(JSON.stringify({ aside: aside?.name ?? null }))
} catch (error) {
  const { code, facts } = recordOf(error)
  console.log(JSON.stringify({ code, because: facts.because }))
}
