import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { recordOf } from '../../model/errors.ts'
import { type ReadVerb, readVerbs } from '../../relational/read-verbs.ts'
import { type Answer, type Call, closing, type Report } from '../../relational/threads/calls.ts'
import { patiently } from '../database/busy.ts'
import { bytesOf } from '../database/bytes.ts'
import { type Connection, openForReading } from '../database/connection.ts'
import { failureOf, isSqliteError } from '../database/failures.ts'
import { perform } from '../database/perform.ts'
import { checkReadable } from '../database/readable.ts'
import type { ThreadData } from './calls.ts'

/** Reads on a connection that cannot write. Each verb sees one snapshot, and holds it no longer than it runs. */
export class Reader {
  readonly #port: MessagePort
  readonly #path: string
  #opened: Connection | null = null

  constructor(port: MessagePort, data: ThreadData) {
    this.#port = port
    this.#path = data.path
  }

  receive(message: Call[] | typeof closing): void {
    if (message === closing) {
      this.#opened?.close()
      this.#port.close()
      return
    }
    this.#report(message.map((call) => this.#answer(call)))
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.receive(next.message as Call[] | typeof closing)
    }
  }

  #answer({ id, verb, input }: Call): Answer {
    try {
      return { id, ok: true, value: patiently(() => this.#inSnapshot(verb, input)) }
    } catch (error) {
      if (isSqliteError(error)) this.#reopen()
      return { id, ok: false, error: recordOf(failureOf(error)) }
    }
  }

  #inSnapshot(verb: string, input: unknown): unknown {
    this.#opened ??= openForReading(this.#path) // at the first read: the thread starts while the writer still opens
    const db = this.#opened
    db.run('BEGIN')
    try {
      if (verb === 'checkReadable') return checkReadable(db, this.#path)
      const act = readVerbs[verb as keyof typeof readVerbs] as ReadVerb
      return perform(db, act(input, { bytes: () => bytesOf(db, this.#path) }))
    } finally {
      if (db.database.isTransaction) db.run('COMMIT')
    }
  }

  /** A read that failed may have left the connection's view of the log behind. */
  #reopen(): void {
    this.#opened?.close()
    this.#opened = null
  }

  #report(answers: Answer[]): void {
    this.#port.postMessage({ kind: 'answers', answers } satisfies Report)
  }
}
