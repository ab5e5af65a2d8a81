import type { Clock } from '../../host/clock.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { beginRun } from '../changes/begin.ts'
import type { StepReport } from '../changes/run.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import type { Home } from '../home/home.ts'
import type { SurveyOutside } from '../survey/survey.ts'
import { applyClean } from './apply.ts'
import type { ForgetSession } from './forget.ts'
import { lookBefore } from './look.ts'
import { parentsOf } from './parents.ts'
import { planClean } from './plan/plan.ts'
import { reportOf, type Told } from './report.ts'

export interface CleanHow {
  /** Only look, whatever the mode of the home is. */
  dryRun: boolean
  trustClock: boolean
  /** How a running gateway is asked to take entries out itself; false: it is not asked. */
  throughGateway: false | ((gateway: GatewayFacts) => Promise<ForgetSession>)
}

export interface CleanOutside extends Omit<SurveyOutside, 'nowMs' | 'told'> {
  clock: Clock
  gatewayNow: () => Promise<GatewayFacts>
  told: Told
}

export interface Cleaned {
  home: Home
  gateway: GatewayFacts
  lookedAtMs: number
  /** In the mode `enforce` and no dry run: steps were carried out. */
  enforced: boolean
  steps: StepReport[]
  notes: string[]
  /** Absolute; null: nothing was changed. */
  manifest: string | null
}

/**
 * Cleans one home under its policy: looks, plans, and in the mode `enforce` does it. What could not be done says why; it is found again by the
 * next run. A run that was killed before is brought to an end first.
 * @throws HoldfastError HOME_BUSY, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_FULL, STORE_IO, ARCHIVE_DAMAGED
 */
export async function cleanHome(home: Home, how: CleanHow, outside: CleanOutside): Promise<Cleaned> {
  const { clock } = outside
  const enforced = home.policy.mode === 'enforce' && !how.dryRun
  await using run = beginRun(home, 'clean', { clock })
  const facts = await lookBefore(home, enforced ? run : null, outside)
  const parents = await parentsOf(facts)
  const { forget, because } = enforced ? await forgetOf(facts.gateway, how) : { forget: null, because: null }
  const throughGateway = forget !== null || (!enforced && how.throughGateway !== false)
  const plan = planClean({ facts, parents, trustClock: how.trustClock, throughGateway })
  const notes = [...home.unreadable.map(({ path, because: why }) => `${path}: ${why}.`), ...plan.notes]
  if (because !== null) notes.push(`The gateway cannot be asked: ${because}.`)
  const told = { home, gateway: facts.gateway, lookedAtMs: facts.nowMs, enforced, notes }
  if (!enforced || plan.steps.every(({ left }) => left !== null))
    return { ...told, steps: plan.steps.map(reportOf), manifest: null }
  const steps = await applyClean(facts, plan, run, { ...outside, forget })
  return { ...told, steps, manifest: run.manifest }
}

/** Without its command the rest is done all the same. */
async function forgetOf(
  gateway: GatewayFacts,
  { throughGateway }: CleanHow,
): Promise<{ forget: ForgetSession | null; because: string | null }> {
  if (throughGateway === false || gateway.state !== 'running') return { forget: null, because: null }
  try {
    return { forget: await throughGateway(gateway), because: null }
  } catch (error) {
    if (!isHoldfastError(error, 'OPENCLAW_MISSING') && !isHoldfastError(error, 'OPENCLAW_FAILED')) throw error
    return { forget: null, because: String(error.facts.because ?? error.message) }
  }
}
