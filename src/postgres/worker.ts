import { enableCompileCache } from 'node:module'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { recordOf } from '../model/errors.ts'
import type { Call, closing, Report } from '../relational/threads/calls.ts'
import { failureOf } from './database/failures.ts'
import type { ThreadData } from './threads/data.ts'
import { Service } from './threads/service.ts'

/** The entry of the thread. */

// run from source, every start would strip the types of forty files again
if (import.meta.url.endsWith('.ts')) enableCompileCache()

const port = parentPort as MessagePort

try {
  const service = await Service.open(port, workerData as ThreadData)
  port.on('message', (message: Call[] | typeof closing) => service.receive(message))
  port.postMessage({ kind: 'opened' } satisfies Report)
} catch (error) {
  port.postMessage({ kind: 'refused', error: recordOf(failureOf(error)) } satisfies Report)
  port.close()
}
