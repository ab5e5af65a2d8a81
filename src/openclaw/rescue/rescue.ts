import type { StepReport } from '../changes/run.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import type { HomeFacts } from '../survey/facts.ts'
import { type Blocker, findBlockers, type Health, planRescue } from './blockers.ts'
import type { RestartWay } from './restart.ts'

/** What is done to a home, each by the command of that name, and what it left. */
interface Work {
  steps: StepReport[]
  /** Absolute; null: nothing was changed. */
  manifest: string | null
}

/** What a rescue does with, put together by the command line. */
export interface RescueOutside {
  look(): Promise<HomeFacts>
  gatewayNow(): Promise<GatewayFacts>
  health(facts: HomeFacts): Promise<Health>
  way(facts: HomeFacts): Promise<RestartWay | null>
  /** Runs a program; null: it has done what it was told, else why not. */
  run(words: string[]): Promise<string | null>
  /** Whether a person agrees to stopping a gateway that runs, or to starting one. */
  agrees(question: string): Promise<boolean>
  clearLocks(facts: HomeFacts): Promise<Work>
  /** With the gateway down: the index, what it would resume, torn transcripts. */
  mend(facts: HomeFacts): Promise<Work>
  clean(facts: HomeFacts): Promise<Work>
  sleep(ms: number): Promise<void>
  steadyMs(): number
  tell(line: string): Promise<void>
}

export interface RescueHow {
  dryRun: boolean
  /** How long a start may take until the gateway says that it is well. Unit: ms. */
  waitMs: number
}

export interface Rescued {
  blockers: Blocker[]
  way: RestartWay | null
  stopped: boolean
  started: boolean
  work: Work[]
  /** What stands in the way afterwards; the same as before in a dry run. */
  remaining: Blocker[]
  health: Health
}

/** A gateway may drain for this long before it ends (its own unit allows 330 s). Unit: ms. */
const stopMs = 335_000
/** After a stop that said it failed: it may have stopped it all the same. Unit: ms. */
const failedStopMs = 5_000
const lookEveryMs = 1_000
const askEveryMs = 3_000

/**
 * Finds what keeps a bot from answering, and ends it: beside the gateway where that suffices, else with the gateway stopped in between. It is
 * stopped only when a person agrees, only in the way that its own installation tells, and started again whatever fails meanwhile.
 */
export async function rescueHome(how: RescueHow, outside: RescueOutside): Promise<Rescued> {
  const { tell } = outside
  const facts = await outside.look()
  const health = await outside.health(facts)
  const blockers = findBlockers(facts, health)
  const plan = planRescue(facts, blockers)
  const way = plan.stop || plan.start ? await outside.way(facts) : null
  const found: Rescued = { blockers, way, stopped: false, started: false, work: [], remaining: blockers, health }
  if (how.dryRun || blockers.length === 0) return found
  const work: Work[] = []
  const mayStop =
    plan.stop && (await agreed(way, 'Stop the gateway, mend what it blocks, and start it again?', outside))
  let down = facts.gateway.state === 'stopped'
  if (mayStop && way !== null) {
    await tell(`Stopping the gateway: ${way.stop.join(' ')}`)
    const failure = await outside.run(way.stop)
    if (failure !== null) await tell(`It did not stop as told: ${failure}`)
    down = await untilStopped(failure === null ? stopMs : failedStopMs, outside)
    if (!down) await tell('It still runs, so its index is left alone.')
  }
  // With the gateway down, stale locks tell its next start which turns were interrupted: they are a part of mending.
  if (!down) work.push(await outside.clearLocks(facts))
  try {
    if (down) {
      const now = await outside.look()
      work.push(await outside.mend(now))
    }
    work.push(await outside.clean(await outside.look()))
  } finally {
    const mayStart = mayStop || (plan.start && (await agreed(way, 'Start the gateway?', outside)))
    if (mayStart && way !== null && down) {
      await tell(`Starting the gateway: ${way.start.join(' ')}`)
      const failure = await outside.run(way.start)
      if (failure !== null) await tell(`It did not start as told: ${failure}`)
      found.started = failure === null
    }
  }
  const after = found.started ? await untilWell(how.waitMs, outside) : health
  const last = await outside.look()
  return {
    ...found,
    stopped: mayStop && down,
    work,
    health: after,
    remaining: findBlockers(last, found.started ? after : await outside.health(last)),
  }
}

async function agreed(way: RestartWay | null, question: string, { agrees, tell }: RescueOutside): Promise<boolean> {
  if (way !== null) return await agrees(`${question} (${way.kind}: ${way.because})`)
  await tell('How this gateway is stopped and started is not known here, so that is left to you.')
  return false
}

async function untilStopped(limitMs: number, { gatewayNow, sleep, steadyMs }: RescueOutside): Promise<boolean> {
  for (const endMs = steadyMs() + limitMs; steadyMs() < endMs; await sleep(lookEveryMs)) {
    if ((await gatewayNow()).state === 'stopped') return true
  }
  return false
}

async function untilWell(waitMs: number, outside: RescueOutside): Promise<Health> {
  let health: Health = { state: 'bad', because: 'it was not asked' }
  for (const endMs = outside.steadyMs() + waitMs; outside.steadyMs() < endMs; await outside.sleep(askEveryMs)) {
    const facts = await outside.look()
    if (facts.gateway.state !== 'running') health = { state: 'bad', because: 'its process is not there' }
    else health = await outside.health(facts)
    if (health.state !== 'bad') return health
  }
  return health
}
