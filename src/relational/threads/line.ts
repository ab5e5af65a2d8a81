import { Worker } from 'node:worker_threads'
import { systemClock } from '../../host/clock.ts'
import { threadOptions } from '../../host/process.ts'
import { errorOf, HoldfastError } from '../../model/errors.ts'
import { type Answer, type Call, closing, type Report, type ThreadStart } from './calls.ts'

/** Node 22 says in each thread that its SQLite is experimental; nobody here can do anything about it. */
const quiet = '--disable-warning=ExperimentalWarning'

interface Pending {
  verb: string
  startedMs: number
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** What the owner of a line wants to hear. */
export interface Listener {
  done(verb: string, ms: number, error: HoldfastError | null): void
  report(report: Extract<Report, { kind: 'committed' | 'clock' | 'writable' }>): void
  /** The thread has ended though nobody closed it. */
  ended(because: HoldfastError): void
}

/** One thread as the main thread sees it. All calls of one tick travel in one message, in order. */
export class Line {
  /** Rejects with the reason when the thread refuses to work. */
  readonly opened: Promise<void>
  isOpen = false
  readonly #worker: Worker
  readonly #listener: Listener
  readonly #pending = new Map<number, Pending>()
  readonly #ended: Promise<void>
  #batch: Call[] = []
  #lastId = 0
  #failure: HoldfastError | null = null
  #closing = false

  constructor({ program, role, data }: ThreadStart, listener: Listener) {
    this.#listener = listener
    const execArgv = [...threadOptions(process.execArgv), quiet]
    this.#worker = new Worker(program, { workerData: data, execArgv, name: `holdfast ${role}` })
    const opening = Promise.withResolvers<void>()
    const ending = Promise.withResolvers<void>()
    this.opened = opening.promise
    this.#ended = ending.promise
    this.opened.catch(() => {}) // whoever calls a verb is told; a line that nobody uses may fail in silence
    this.#worker.on('message', (report: Report) => this.#receive(report, opening))
    this.#worker.on('error', (error) => {
      this.#failure ??= endedBy(role, error)
    })
    this.#worker.on('exit', () => {
      const because = this.#failure ?? (this.#closing ? new HoldfastError('STORE_CLOSED') : endedBy(role))
      this.isOpen = false
      this.#fail(because)
      opening.reject(because)
      ending.resolve()
      if (!this.#closing) listener.ended(because)
    })
  }

  call(verb: string, input: unknown): Promise<unknown> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const id = ++this.#lastId
    if (this.#batch.length === 0) process.nextTick(() => this.#send()) // after everything that this tick still asks for
    this.#batch.push({ id, verb, input })
    if (this.#pending.size === 0) this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { verb, startedMs: systemClock.steadyMs(), resolve, reject })
    })
  }

  /** What was called before is still answered. */
  async close(): Promise<void> {
    this.#send()
    this.#closing = true
    this.#worker.ref()
    this.#worker.postMessage(closing)
    await this.#ended
  }

  #send(): void {
    const batch = this.#batch
    if (batch.length === 0) return
    this.#batch = []
    this.#worker.postMessage(batch)
  }

  #receive(report: Report, opening: PromiseWithResolvers<void>): void {
    switch (report.kind) {
      case 'opened':
        this.isOpen = true
        this.#rest()
        opening.resolve()
        break
      case 'refused':
        this.#failure = errorOf(report.error)
        opening.reject(this.#failure)
        break
      case 'answers':
        for (const answer of report.answers) this.#settle(answer)
        this.#rest()
        break
      case 'committed':
      case 'clock':
      case 'writable':
        this.#listener.report(report)
    }
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    if (pending === undefined) return
    this.#pending.delete(answer.id)
    const error = answer.ok ? null : errorOf(answer.error)
    this.#listener.done(pending.verb, systemClock.steadyMs() - pending.startedMs, error)
    if (answer.ok) pending.resolve(answer.value)
    else pending.reject(error)
  }

  /** Nothing is asked: the thread alone does not keep the process alive. */
  #rest(): void {
    if (this.#pending.size === 0 && !this.#closing) this.#worker.unref()
  }

  #fail(error: HoldfastError): void {
    this.#failure = error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

/** What the thread was at is unknown: a verb that writes may have been committed. */
function endedBy(role: string, error?: unknown): HoldfastError {
  const { code, name } = (error ?? {}) as NodeJS.ErrnoException
  const reason = code ?? name
  const because = reason === undefined ? `the ${role} thread ended` : `the ${role} thread ended (${reason})`
  return new HoldfastError('STORE_IO', { because }, { cause: error })
}
