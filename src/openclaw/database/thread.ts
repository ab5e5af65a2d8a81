import { Worker } from 'node:worker_threads'
import { threadOptions } from '../../host/process.ts'
import { errorOf, HoldfastError } from '../../model/errors.ts'
import type { Answer, Call, Reads } from './reader.ts'
import type { Place } from './schema.ts'

/** In a checkout the source runs as it is; published, it was compiled. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** Node 22 says in each thread that its SQLite is experimental; nobody here can do anything about it. */
const quiet = '--disable-warning=ExperimentalWarning'

type Input<N extends keyof Reads> = Parameters<Reads[N]> extends [unknown, unknown, infer I] ? I : null

/** All slices of a list, from the one after `first` on. */
export async function* slices<After, Slice extends { next: After | null }>(
  first: After,
  ask: (after: After) => Promise<Slice>,
): AsyncGenerator<Slice, void, undefined> {
  let after: After | null = first
  while (after !== null) {
    const slice: Slice = await ask(after)
    yield slice
    after = slice.next
  }
}

/**
 * Reads databases of agents in a thread of its own: a check or a large row keeps SQLite at work for seconds, and whoever asks
 * may be a keeper that has more to do. One question at a time is under way; the thread begins with the first.
 */
export class DatabaseThread implements AsyncDisposable {
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | null = null
  #ended: Promise<void> = Promise.resolve()
  #lastId = 0

  /** @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE, HOME_GENERATION, HOME_BUSY (a gateway has just begun; try again) */
  ask<N extends keyof Reads>(place: Place, read: N, input: Input<N>): Promise<ReturnType<Reads[N]>> {
    const worker = this.#worker ?? this.#begin()
    const id = ++this.#lastId
    const pending = Promise.withResolvers<unknown>()
    this.#pending.set(id, pending)
    worker.ref()
    worker.postMessage({ id, place, read, input } satisfies Call)
    return pending.promise as Promise<ReturnType<Reads[N]>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker?.ref()
    this.#worker?.postMessage(null)
    await this.#ended
  }

  #begin(): Worker {
    const execArgv = [...threadOptions(process.execArgv), quiet]
    const worker = new Worker(entry, { execArgv, name: 'holdfast homes' })
    const ending = Promise.withResolvers<void>()
    let failure: unknown
    this.#ended = ending.promise
    worker.on('message', (answer: Answer) => this.#settle(worker, answer))
    worker.on('error', (error) => {
      failure = error
    })
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null
      this.#fail(failure)
      ending.resolve()
    })
    this.#worker = worker
    return worker
  }

  #settle(worker: Worker, answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if (this.#pending.size === 0) worker.unref() // alone it does not keep the process alive
    if (answer.ok) pending?.resolve(answer.value)
    else pending?.reject(errorOf(answer.error))
  }

  /** Asking again begins a new thread. */
  #fail(cause: unknown): void {
    const { code, name } = (cause ?? {}) as NodeJS.ErrnoException
    const because = `the thread that reads databases ended (${code ?? name ?? 'no reason told'})`
    for (const { reject } of this.#pending.values())
      reject(new HoldfastError('HOME_UNREADABLE', { because }, { cause }))
    this.#pending.clear()
  }
}
