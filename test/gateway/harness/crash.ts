import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Gateway,
  type GatewayOptions,
  type GatewayProcess,
  makePlace,
  NotStarted,
  spawnGateway,
  startGateway,
} from './gateway.ts'
import { Ledger } from './ledger.ts'
import { type Load, startLoad } from './load.ts'
import { echo, echoAfter, startModel } from './model.ts'
import { randomFrom } from './random.ts'
import { untilSettled } from './wait.ts'

export interface CrashReport {
  problems: string[]
  kills: number
  messages: number
  acknowledged: number
  entries: number
  /** Answers of a later attempt than the first: their turns ran when the gateway was killed. */
  again: number
}

/** A small context, so that summaries are made all the time and crashes meet them too. */
const crashConfig = {
  model: { contextWindow: 2_000, answerTokens: 200 },
  recovery: { crashLoopStarts: 1_000 }, // kills in a row are the test, and what they leave is to be resumed
  log: { level: 'warn' },
}

/** Long enough that some turns are always under way when the process ends. */
const mostModelMs = 30

/** Of all kills, how many are followed by one of the next start, which takes about so long. */
const killedAgainShare = 0.2
const startMs = 1_000

/**
 * Eight sessions under load; the gateway is killed at random moments, also while it starts and while it recovers. After
 * `checkShare` of the restarts it may come to rest and is judged; after the others it is killed again before that.
 */
export async function crashAtRandom(options: {
  kills: number
  seed: number
  checkShare: number
}): Promise<CrashReport> {
  const random = randomFrom(options.seed)
  await using place = await makePlace()
  await using model = await startModel(echoAfter(() => random.between(0, mostModelMs)))
  const start = () => startGateway({ place, model, config: crashConfig })
  let gateway = await start()
  let up = true
  using load = startLoad({ sessions: 8, writers: 2, seed: options.seed, api: () => (up ? gateway.api : null) })
  const ledger = new Ledger(load.sessions)
  const problems: string[] = []
  let kills = 0
  const kill = async (what: GatewayProcess) => {
    await what.kill()
    kills += 1
  }
  try {
    while (kills < options.kills && problems.length === 0) {
      await sleep(random.between(0, 250))
      up = false
      await kill(gateway)
      if (random.next() < killedAgainShare) {
        await using starting = await spawnGateway({ place, model, config: crashConfig })
        await sleep(random.between(0, startMs))
        await kill(starting)
      }
      gateway = await start()
      up = true
      const checks = random.next() < options.checkShare || kills >= options.kills
      if (checks) problems.push(...(await checkAtRest(gateway, load, ledger, `kill ${kills}`)))
    }
    await load.pause()
    problems.push(...(await ledger.problemsOfAll(gateway.api, load.sent)))
    return { problems, kills, ...countsOf(load, ledger) }
  } finally {
    await gateway.kill()
  }
}

/** The process is killed at its Nth call of `call`, for N from 1 on, over one growing store. */
export async function crashAtEach(options: { call: string; nths: number[]; seed: number }): Promise<CrashReport> {
  await using place = await makePlace()
  await using model = await startModel(echo)
  let gateway: Gateway | null = null
  using load = startLoad({ sessions: 4, writers: 2, seed: options.seed, api: () => gateway?.api ?? null })
  const ledger = new Ledger(load.sessions)
  const problems: string[] = []
  let kills = 0
  for (const nth of options.nths) {
    const base: GatewayOptions = { place, model, config: crashConfig }
    const under = killAt(options.call, nth)
    gateway = await startOrNull({ ...base, under })
    const ended = gateway === null || (await Promise.race([gateway.ended.then(() => true), sleep(4_000, false)]))
    if (ended) kills += 1
    await gateway?.kill()
    gateway = null
    await using plain = await startGateway(base)
    gateway = plain
    problems.push(...(await checkAtRest(plain, load, ledger, `${options.call} ${nth}`)))
    if (nth === options.nths.at(-1) || problems.length > 0) {
      await load.pause()
      problems.push(...(await ledger.problemsOfAll(plain.api, load.sent)))
      break
    }
    gateway = null
  }
  return { problems, kills, ...countsOf(load, ledger) }
}

/** strace counts the calls of each thread by themselves: N is reached by the writer, or by the keeper that checkpoints. */
function killAt(call: string, nth: number): string[] {
  return [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:signal=KILL:when=${nth}`,
  ]
}

/** Null when it was killed before it was ready. */
async function startOrNull(options: GatewayOptions): Promise<Gateway | null> {
  try {
    return await startGateway(options)
  } catch (error) {
    if (error instanceof NotStarted) return null
    throw error
  }
}

/** Waits until everything is answered, judges it, and lets the clients go on. */
async function checkAtRest(gateway: Gateway, load: Load, ledger: Ledger, when: string): Promise<string[]> {
  await load.pause()
  await untilSettled(gateway.api)
  const problems = await ledger.problems(gateway.api, load.sent)
  load.resume()
  return [...problems, ...load.surprises].map((problem) => `${when}: ${problem}`)
}

function countsOf(load: Load, ledger: Ledger) {
  const acknowledged = load.sent.filter(({ acknowledgedAt }) => acknowledgedAt !== null).length
  const again = ledger.entries.filter(({ kind, attempt }) => kind === 'assistant' && attempt > 1).length
  return { messages: load.sent.length, acknowledged, entries: ledger.entries.length, again }
}
