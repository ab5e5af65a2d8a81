import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { recordOf } from '../../model/errors.ts'
import { patiently } from '../file/busy.ts'
import { type Connection, openForReading } from '../file/connection.ts'
import { failureOf, isSqliteError } from '../file/failures.ts'
import { type Answer, type Call, closing, type Report, type ThreadData } from './calls.ts'
import { readVerbs } from './read-verbs.ts'

type ReadVerb = (db: Connection, input: unknown, path: string) => unknown

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
      const act = readVerbs[verb as keyof typeof readVerbs] as ReadVerb
      return { id, ok: true, value: patiently(() => this.#inSnapshot(act, input)) }
    } catch (error) {
      if (isSqliteError(error)) this.#reopen()
      return { id, ok: false, error: recordOf(failureOf(error)) }
    }
  }

  #inSnapshot(verb: ReadVerb, input: unknown): unknown {
    this.#opened ??= openForReading(this.#path) // at the first read: the thread starts while the writer still opens
    const db = this.#opened
    db.run('BEGIN')
    try {
      return verb(db, input, this.#path)
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
