import { writeSync } from 'node:fs'
import { systemClock } from '../../../src/host/clock.ts'
import { patchEntry } from '../../../src/openclaw/index/edit.ts'
import { openIndexStore } from '../../../src/openclaw/index/store/store.ts'
import type { IndexView } from '../../../src/openclaw/index/store/view.ts'

// Counts up in one index, in an entry of its own and in one that all writers share, and prints a line for each change that is done.

const [sessionsDir = '', name = '', times = '0'] = process.argv.slice(2)
const agent = { id: 'main', sessionsDir, indexPath: `${sessionsDir}/sessions.json`, databasePath: null }
const store = openIndexStore(agent, sessionsDir, { clock: systemClock, keeping: null })

function countedUp({ raw }: IndexView, key: string) {
  const before = raw(key)
  const count = before === null ? 0 : (JSON.parse(before) as { count: number }).count
  return { key, before, after: patchEntry(before ?? '{}', { count: count + 1 }) }
}

for (let at = 0; at < Number(times); at++) {
  await store.update((index) => [countedUp(index, 'shared'), countedUp(index, name)], { waitMs: 60_000 })
  writeSync(1, `${at + 1}\n`)
}
