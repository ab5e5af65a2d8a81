import { writeSync } from 'node:fs'
import { currentHolder } from '../../src/host/process.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'

/** A process that owns the data directory it is given, says so, and does nothing until it is killed. */
const directory = process.argv[2] as string
const nowMs = Date.now()
const telemetry = { verb: () => {}, commit: () => {}, writable: () => {} }
await sqliteStore(directory, { diskReserveBytes: 0 })({ holder: currentHolder(nowMs), telemetry, atMs: nowMs })
writeSync(1, 'open\n')
setInterval(() => {}, 1_000)
