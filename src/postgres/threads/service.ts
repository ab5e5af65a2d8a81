import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '../../host/clock.ts'
import { type HoldfastError, recordOf } from '../../model/errors.ts'
import { type Answer, type Call, closing, type Report } from '../../relational/threads/calls.ts'
import { writeVerbs } from '../../relational/write-verbs.ts'
import { openPool, type Pool } from '../database/connection.ts'
import { failureOf, unreachableOr } from '../database/failures.ts'
import { checkFound, lookAt } from '../database/identity.ts'
import type { ThreadData } from './data.ts'
import { addHolder, endHolder } from './holder.ts'
import { Renewal } from './renewal.ts'
import { Verbs } from './work.ts'

/** The thread that has the connections: each call is a transaction on one of them; those about one session go one after the other. */
export class Service {
  readonly #port: MessagePort
  readonly #data: ThreadData
  readonly #pool: Pool
  readonly #verbs: Verbs
  readonly #renewal: Renewal | null
  /** The last call about each session that has one under way. */
  readonly #lastOf = new Map<string, Promise<void>>()
  readonly #underWay = new Set<Promise<void>>()
  #answers: Answer[] = []
  #writable = true

  private constructor(port: MessagePort, data: ThreadData, pool: Pool) {
    const { schema, holder, beats } = data
    this.#port = port
    this.#data = data
    this.#pool = pool
    this.#verbs = new Verbs(pool)
    this.#renewal =
      holder === null
        ? null
        : new Renewal(data.connection, schema, holder, beats, (aheadMs) => this.#report({ kind: 'clock', aheadMs }))
  }

  /** @throws HoldfastError every STORE_ code of opening */
  static async open(port: MessagePort, data: ThreadData): Promise<Service> {
    const pool = openPool(data.connection, data.schema, data.connectionsMax)
    try {
      const client = await pool.connections.connect()
      try {
        checkFound(await lookAt(client, data.schema), data.schema)
        if (data.holder !== null) await addHolder(client, data.schema, data.holder)
      } finally {
        client.release()
      }
    } catch (error) {
      await pool.connections.end()
      throw unreachableOr(error)
    }
    const service = new Service(port, data, pool)
    await service.#renewal?.begin()
    return service
  }

  receive(message: Call[] | typeof closing): void {
    if (message === closing) void this.#close()
    else for (const call of message) this.#take(call)
  }

  #take(call: Call): void {
    const key = call.verb === 'claimTurn' ? claims : (call.input as { key?: string } | null)?.key
    const before = key === undefined ? undefined : this.#lastOf.get(key)
    const run = before === undefined ? this.#run(call) : before.then(() => this.#run(call))
    this.#underWay.add(run)
    if (key !== undefined) this.#lastOf.set(key, run)
    void run.then(() => {
      this.#underWay.delete(run)
      if (key !== undefined && this.#lastOf.get(key) === run) this.#lastOf.delete(key)
    })
  }

  async #run({ id, verb, input }: Call): Promise<void> {
    const startedMs = systemClock.steadyMs()
    try {
      const value = await this.#verbs.act(verb, this.#named(verb, input))
      if (verb in writeVerbs) this.#report({ kind: 'committed', ms: systemClock.steadyMs() - startedMs, verbs: 1 })
      this.#turned(null)
      this.#answer({ id, ok: true, value })
    } catch (error) {
      const failure = failureOf(error)
      if (outages.has(failure.code)) this.#turned(failure)
      this.#answer({ id, ok: false, error: recordOf(failure) })
    }
  }

  /** A delivery that is being sent names its gateway, so that others know whose end makes it unknown. */
  #named(verb: string, input: unknown): unknown {
    if (verb !== 'claimDelivery') return input
    const { claim } = input as { claim: string }
    return { ...(input as object), claim: `${this.#data.holder?.id} ${claim}` }
  }

  #turned(because: HoldfastError | null): void {
    if (this.#writable === (because === null)) return
    this.#writable = because === null
    this.#report({ kind: 'writable', writable: this.#writable, because: because === null ? null : recordOf(because) })
  }

  /** Answers that are ready in one turn of the loop travel together. */
  #answer(answer: Answer): void {
    if (this.#answers.push(answer) > 1) return
    setImmediate(() => {
      this.#report({ kind: 'answers', answers: this.#answers })
      this.#answers = []
    })
  }

  async #close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
    await this.#renewal?.stop()
    if (this.#data.holder !== null) await endHolder(this.#pool.connections, this.#data.schema, this.#data.holder)
    await this.#pool.connections.end()
    await new Promise((resolve) => setImmediate(resolve)) // answers that were ready
    this.#port.close()
  }

  #report(report: Report): void {
    this.#port.postMessage(report)
  }
}

/** Claims of one process go one after the other: side by side they would all reach for the same turn. No session has this key. */
const claims = ' claims'

/** After these nothing can be stored for the time being. */
const outages: ReadonlySet<string> = new Set([
  'STORE_IO',
  'STORE_FULL',
  'STORE_READ_ONLY',
  'STORE_CREDENTIALS',
  'STORE_RIGHTS',
])
