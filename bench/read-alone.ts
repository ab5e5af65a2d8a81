import { existsSync, readFileSync } from 'node:fs'
import { readTail, readWhole } from './peers/jsonl-reading.ts'
import { benchKey, openStored } from './stored.ts'

// One read in a process of its own: `node read-alone.ts context|tail|jsonl|jsonl-tail PATH`. Prints its time and peak memory.

const [what, path] = process.argv.slice(2) as [string, string]
const key = benchKey(0)

async function read(): Promise<() => Promise<void>> {
  if (what === 'jsonl') {
    readWhole(path)
    return async () => {}
  }
  if (what === 'jsonl-tail') {
    readTail(path, 50)
    return async () => {}
  }
  const { store } = await openStored(path)
  if (what === 'tail') await store.readEntries({ key, order: 'newest', limit: 50 })
  else await store.readContext({ key, tokensMax: 28_000, bytesMax: 2_000_000 })
  return () => store.close()
}

const beganMs = performance.now()
const close = await read()
const openAndReadMs = performance.now() - beganMs
await close()
process.stdout.write(JSON.stringify({ openAndReadMs, memoryBytes: peakMemoryBytes() }))

/** On Linux `maxRSS` also counts what the parent held when it forked; VmHWM begins anew with the program. */
function peakMemoryBytes(): number {
  const status = '/proc/self/status'
  if (!existsSync(status)) return process.resourceUsage().maxRSS * 1024
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]) * 1024
}
