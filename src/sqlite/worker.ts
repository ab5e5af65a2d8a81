import { enableCompileCache } from 'node:module'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { recordOf } from '../model/errors.ts'
import type { Call, closing, Report } from '../relational/threads/calls.ts'
import { failureOf } from './database/failures.ts'
import type { ThreadData } from './threads/calls.ts'

/** The entry of each thread. A role loads only what it needs: opening a store waits for this. */

interface Thread {
  receive(message: Call[] | typeof closing): void
}

// run from source, every start would strip the types of forty files again
if (import.meta.url.endsWith('.ts')) enableCompileCache()

const port = parentPort as MessagePort
const data = workerData as ThreadData

async function start(): Promise<Thread> {
  switch (data.role) {
    case 'writer': {
      const { openOwned } = await import('./threads/owned.ts')
      return openOwned(port, data)
    }
    case 'reader': {
      const { Reader } = await import('./threads/reader.ts')
      return new Reader(port, data)
    }
    case 'keeper': {
      const { Keeper } = await import('./threads/keeper.ts')
      return new Keeper(port, data)
    }
  }
}

try {
  const thread = await start()
  port.on('message', (message: Call[] | typeof closing) => thread.receive(message))
  port.postMessage({ kind: 'opened' } satisfies Report)
} catch (error) {
  port.postMessage({ kind: 'refused', error: recordOf(failureOf(error)) } satisfies Report)
  port.close()
}
