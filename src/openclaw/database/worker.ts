import { enableCompileCache } from 'node:module'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { recordOf } from '../../model/errors.ts'
import { type Answer, type Call, Reader } from './reader.ts'

/** The entry of the thread that reads databases. */

if (import.meta.url.endsWith('.ts')) enableCompileCache()

const port = parentPort as MessagePort
const reader = new Reader()

port.on('message', (message: Call | null) => {
  if (message === null) {
    reader.close()
    port.close()
    return
  }
  port.postMessage(answer(message))
})

function answer({ id, place, read, input }: Call): Answer {
  try {
    return { id, ok: true, value: reader.ask(place, read, input) }
  } catch (error) {
    return { id, ok: false, error: recordOf(error) }
  }
}
