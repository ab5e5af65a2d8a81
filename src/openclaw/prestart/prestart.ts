import type { Clock } from '../../host/clock.ts'
import { beginRun } from '../changes/begin.ts'
import type { StepReport } from '../changes/run.ts'
import { lookBefore } from '../clean/look.ts'
import { parentsOf } from '../clean/parents.ts'
import { planClean } from '../clean/plan/plan.ts'
import { reportOf } from '../clean/report.ts'
import type { CleanPlan } from '../clean/steps.ts'
import { rootOf } from '../files/place.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import type { Home } from '../home/home.ts'
import { readBound } from '../survey/bindings.ts'
import type { HomeFacts } from '../survey/facts.ts'
import type { SurveyOutside } from '../survey/survey.ts'
import { applyPrestart } from './apply.ts'
import { candidatesOf, tailsWanted } from './candidates.ts'
import { planPrestart } from './plan.ts'
import type { Tail } from './steps.ts'
import { readTail } from './tail.ts'

export interface PrestartOutside extends Omit<SurveyOutside, 'nowMs' | 'told'> {
  clock: Clock
  gatewayNow: () => Promise<GatewayFacts>
}

export interface Prestarted {
  home: Home
  gateway: GatewayFacts
  lookedAtMs: number
  steps: StepReport[]
  notes: string[]
  /** Absolute; null: nothing was changed. */
  manifest: string | null
}

/**
 * Puts a home right before its gateway starts, within `timeLimitMs`: what is not begun by then is left. Nothing is changed when a gateway runs,
 * or when that cannot be told. @throws HoldfastError HOME_BUSY, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_FULL, STORE_IO, ARCHIVE_DAMAGED
 */
export async function prestartHome(
  home: Home,
  how: { dryRun: boolean; timeLimitMs: number },
  outside: PrestartOutside,
): Promise<Prestarted> {
  const { clock } = outside
  const deadlineMs = clock.steadyMs() + how.timeLimitMs
  await using run = beginRun(home, 'prestart', { clock })
  const facts = await lookBefore(home, how.dryRun ? null : run, outside)
  const clean = await cleaningOf(facts)
  const plan = planPrestart({ facts, tails: await tailsOf(facts), bindings: (await readBound(home.dir)).lists, clean })
  const notes = [...home.unreadable.map(({ path, because }) => `${path}: ${because}.`), ...plan.notes]
  const told = { home, gateway: facts.gateway, lookedAtMs: facts.nowMs, notes }
  if (how.dryRun || plan.steps.every(({ left }) => left !== null))
    return { ...told, steps: plan.steps.map(reportOf), manifest: null }
  const steps = await applyPrestart(facts, plan.steps, run, { ...outside, deadlineMs })
  return { ...told, steps, manifest: run.manifest }
}

/** What cleaning has left until the gateway is down: nothing where nothing is cleaned. */
async function cleaningOf(facts: HomeFacts): Promise<CleanPlan> {
  if (facts.home.policy.mode !== 'enforce') return { steps: [], notes: [] }
  return planClean({ facts, parents: await parentsOf(facts), trustClock: false, throughGateway: false })
}

async function tailsOf(facts: HomeFacts): Promise<Map<string, Tail>> {
  const tails = new Map<string, Tail>()
  for (const some of candidatesOf(facts)) {
    for (const path of tailsWanted(some, facts)) {
      const root = rootOf(facts.home, some[0]?.agent.sessionsDir ?? facts.home.dir)
      tails.set(path, await readTail(root, path))
    }
  }
  return tails
}
