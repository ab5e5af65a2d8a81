import { setTimeout as sleep } from 'node:timers/promises'
import { overlapsIn } from '../gateway/harness/history.ts'
import { Ledger } from '../gateway/harness/ledger.ts'
import { startLoad } from '../gateway/harness/load.ts'
import { echoAfter, startModel } from '../gateway/harness/model.ts'
import { type Random, randomFrom } from '../gateway/harness/random.ts'
import { untilSettled } from '../gateway/harness/wait.ts'
import { Server } from '../postgres/server.ts'
import { type Member, startCluster } from './cluster.ts'

export interface ChaosReport {
  problems: string[]
  faults: Record<string, number>
  messages: number
  acknowledged: number
  entries: number
  /** Answers of a later attempt than the first. */
  again: number
}

/** Longer than a lease lasts without a sign of life: 15 s. */
const stoppedMs = 18_000

/** Two hundred clients with it leave two cores some time for everything else. */
const thinkMs = 8_000

type Fault = (member: Member, random: Random, server: Server) => Promise<void>

/** Each ends by itself, with the member as it was before. */
const faults: Record<string, Fault> = {
  kill: async (member, random) => {
    await member.kill()
    await sleep(random.between(0, 3_000))
    await member.start()
  },
  stop: async (member) => {
    member.signal('SIGSTOP')
    await sleep(stoppedMs)
    member.signal('SIGCONT')
  },
  swallow: async ({ passage }, random) => {
    passage.set({ kind: 'swallow' })
    await sleep(random.between(1_000, stoppedMs))
    passage.set({ kind: 'pass', delayMs: 0 })
  },
  refuse: async ({ passage }, random) => {
    passage.set({ kind: 'refuse' })
    await sleep(random.between(500, stoppedMs))
    passage.set({ kind: 'pass', delayMs: 0 })
  },
  cut: async ({ passage }, random) => {
    for (let count = random.between(1, 5); count > 0; count -= 1) {
      passage.cut()
      await sleep(random.between(50, 500))
    }
  },
  delay: async ({ passage }, random) => {
    passage.set({ kind: 'pass', delayMs: random.between(5, 60) })
    await sleep(random.between(1_000, 8_000))
    passage.set({ kind: 'pass', delayMs: 0 })
  },
  restart: async (_member, _random, server) => server.restart(),
}

/** The stops are long, and a restart meets all members: neither may leave no time for the others. */
const deck = ['kill', 'kill', 'kill', 'stop', 'swallow', 'refuse', 'cut', 'cut', 'delay', 'restart'] as const

/**
 * Sessions under load at three gateways whose clocks are hours apart, of which one at a time, at times two, is killed, stopped, or cut
 * off from the database, and the database is restarted. Every `roundMs` the clients pause, everything comes to rest and is judged.
 */
export async function chaos(options: {
  seed: number
  sessions: number
  rounds: number
  roundMs: number
}): Promise<ChaosReport> {
  const random = randomFrom(options.seed)
  await using server = await Server.start()
  await using model = await startModel(echoAfter(() => random.between(0, 400)))
  const members = await startCluster(server, model)
  const counts: Record<string, number> = {}
  const problems: string[] = []
  const living = () => members.filter(({ gateway }) => gateway !== null)
  // as a balancer would: any of them, whoever runs the session
  const api = () => (living().length === 0 ? null : (random.pick(living()).gateway?.api ?? null))
  using load = startLoad({
    sessions: options.sessions,
    writers: 1,
    seed: options.seed,
    api,
    patienceMs: 30_000,
    thinkMs,
    pollMs: 500,
  })
  const ledger = new Ledger(load.sessions)
  const one = async (member: Member) => {
    const name = random.pick(deck)
    counts[name] = (counts[name] ?? 0) + 1
    await (faults[name] as Fault)(member, random, server)
  }
  try {
    for (let round = 0; round < options.rounds && problems.length === 0; round += 1) {
      const endMs = Date.now() + options.roundMs
      while (Date.now() < endMs) {
        const first = random.between(0, members.length - 1)
        const both = random.next() < 0.3
        const struck = [members[first], ...(both ? [members[(first + 1) % members.length]] : [])] as Member[]
        await Promise.all(struck.map(one))
        await sleep(random.between(0, 1_500))
      }
      await load.pause()
      const at = living()[0]?.gateway?.api
      if (at === undefined) throw new Error('no gateway lives')
      await untilSettled(at, 300_000)
      problems.push(
        ...[...(await ledger.problems(at, load.sent)), ...load.surprises].map((each) => `round ${round}: ${each}`),
      )
      problems.push(...overlapsIn(ledger.entries))
      load.resume()
    }
    await load.pause()
    const last = living()[0]?.gateway
    if (last != null) problems.push(...(await ledger.problemsOfAll(last.api, load.sent)))
    const acknowledged = load.sent.filter(({ acknowledgedAt }) => acknowledgedAt !== null).length
    const again = ledger.entries.filter(({ kind, attempt }) => kind === 'assistant' && attempt > 1).length
    return { problems, faults: counts, messages: load.sent.length, acknowledged, entries: ledger.entries.length, again }
  } finally {
    for (const member of members) {
      member.signal('SIGCONT')
      await member.leave()
    }
  }
}
