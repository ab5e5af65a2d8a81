import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Gateway, makePlace, NotStarted, type Place, startGateway } from '../gateway/harness/gateway.ts'
import type { ModelServer } from '../gateway/harness/model.ts'
import { newSchema } from '../postgres/ground.ts'
import type { Server } from '../postgres/server.ts'
import { Passage } from './passage.ts'

/** How far each gateway's own clock is from the machine's. Unit: s. */
const clocksAheadS = [3_600, -3_600, 0]

/** While the database is out of reach, or restarts. */
const startsMax = 20

const config = {
  model: { contextWindow: 2_000, answerTokens: 200 },
  recovery: { crashLoopStarts: 1_000 }, // what faults leave is to be resumed, however often
  turns: { attempts: 100 },
  lanes: { resume: { patience: '2s' } }, // faults come without an end, and so would the wait for those that come later
  log: { level: 'warn' },
}

/** One gateway of several, with a way of its own to the database. */
export class Member {
  readonly name: string
  readonly passage: Passage
  gateway: Gateway | null = null
  readonly #place: Place
  readonly #model: ModelServer
  readonly #url: string
  readonly #aheadS: number

  constructor(name: string, place: Place, passage: Passage, model: ModelServer, url: string, aheadS: number) {
    this.name = name
    this.#place = place
    this.passage = passage
    this.#model = model
    this.#url = url
    this.#aheadS = aheadS
  }

  async start(): Promise<void> {
    const options = {
      place: this.#place,
      model: this.#model,
      config,
      flags: ['--store', this.#url],
      env: {
        CLOCK_AHEAD_S: String(this.#aheadS),
        NODE_OPTIONS: `--import ${join(import.meta.dirname, 'programs/shifted-clock.ts')}`,
      },
    }
    for (let tries = 1; ; tries += 1) {
      try {
        this.gateway = await startGateway(options)
        return
      } catch (error) {
        if (!(error instanceof NotStarted) || tries === startsMax) throw error
        await sleep(500) // the database is out of reach just now
      }
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.gateway !== null) process.kill(-this.gateway.pid, signal)
  }

  async kill(): Promise<void> {
    const { gateway } = this
    this.gateway = null
    await gateway?.kill()
  }

  async leave(): Promise<void> {
    await this.kill()
    await this.passage[Symbol.asyncDispose]()
    await this.#place[Symbol.asyncDispose]()
  }
}

/** Gateways on one new schema of the server; their clocks are hours apart. */
export async function startCluster(server: Server, model: ModelServer, count = 3): Promise<Member[]> {
  const url = new URL(await newSchema(server))
  const members: Member[] = []
  for (let index = 0; index < count; index += 1) {
    const passage = await Passage.to(server.port)
    url.port = String(passage.port)
    const name = String.fromCharCode(97 + index)
    members.push(new Member(name, await makePlace(), passage, model, url.href, clocksAheadS[index % 3] as number))
  }
  await Promise.all(members.map((member) => member.start()))
  return members
}
