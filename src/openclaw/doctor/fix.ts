import { dirname } from 'node:path'
import type { Clock } from '../../host/clock.ts'
import { isReachable, modeOf } from '../../host/modes.ts'
import { beginRun, type Run } from '../changes/begin.ts'
import type { StepReport } from '../changes/run.ts'
import { applyClean } from '../clean/apply.ts'
import { lookBefore } from '../clean/look.ts'
import { parentsOf } from '../clean/parents.ts'
import { planClean } from '../clean/plan/plan.ts'
import { reportOf } from '../clean/report.ts'
import type { CleanPlan, CleanStep } from '../clean/steps.ts'
import { follow } from '../files/follow.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import type { Home } from '../home/home.ts'
import { unfollowed } from '../home/policy.ts'
import { clearable } from '../locks/clear.ts'
import { repairHome } from '../repair/repair.ts'
import type { HomeFacts } from '../survey/facts.ts'
import type { SurveyOutside } from '../survey/survey.ts'

export interface FixOutside extends Omit<SurveyOutside, 'nowMs' | 'told'> {
  clock: Clock
  gatewayNow: () => Promise<GatewayFacts>
}

export interface Fixed {
  steps: StepReport[]
  /** What a person should know beyond single steps, one sentence each. */
  notes: string[]
  /** Absolute; each can be undone. */
  manifests: string[]
}

/**
 * Does what needs no decision of a person: locks whose holder is proven to have ended are cleared, leftovers and temporary files past their
 * time are archived, the home is closed to other users, and then transcripts and indexes are mended. No session goes, and nothing that people
 * said; all of it can be undone. `dryRun` shows the same steps and does none.
 * @throws HoldfastError HOME_BUSY, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_FULL, STORE_IO, ARCHIVE_DAMAGED
 */
export async function fixHome(home: Home, dryRun: boolean, outside: FixOutside): Promise<Fixed> {
  const first = await tidy(home, dryRun, outside)
  const repaired = await repairHome(home, { dryRun, named: [] }, { ...outside, told: () => {} })
  const cleared = new Set(first.steps.filter(({ kind }) => kind === 'clear-lock').map(({ path }) => path))
  const mended = repaired.steps.map((step) => {
    // what a stale lock keeps from being mended is mended when that has been cleared
    return dryRun && cleared.has(`${step.path}.lock`) ? { ...step, left: null } : step
  })
  return {
    steps: [...first.steps, ...mended],
    notes: first.notes,
    manifests: [first.manifest, repaired.manifest].filter((manifest) => manifest !== null),
  }
}

async function tidy(
  home: Home,
  dryRun: boolean,
  outside: FixOutside,
): Promise<{ steps: StepReport[]; notes: string[]; manifest: string | null }> {
  const { clock } = outside
  await using run = beginRun(home, 'doctor', { clock })
  const facts = await lookBefore(home, dryRun ? null : run, outside)
  const plan = await safePlan(facts)
  const modes = openHome(home)
  if (dryRun) return { steps: [...plan.steps.map(reportOf), ...modes], notes: plan.notes, manifest: null }
  const steps = await applyClean(facts, plan, run, { ...outside, forget: null, told: () => {} })
  for (const step of modes) steps.push(await close(home, step, run))
  return { steps, notes: plan.notes, manifest: run.manifest }
}

/** Of what cleaning would do, the part that is about nobody's sessions; and every lock that is proven to be stale. */
async function safePlan(facts: HomeFacts): Promise<CleanPlan> {
  const policy = { ...facts.home.policy, mode: 'enforce' as const }
  const parents = await parentsOf(facts)
  const input = {
    facts: { ...facts, home: { ...facts.home, policy } },
    parents,
    trustClock: false,
    throughGateway: false,
  }
  const plan = planClean(input)
  const isFollowed = facts.home.policy.sources.mode !== unfollowed
  const loose = plan.steps.filter(({ kind, act }) => {
    if (!isFollowed) return false // it may want to keep them
    return kind === 'remove-temporary' || (kind === 'archive-leftover' && act.do === 'take' && act.session === null)
  })
  return { steps: [...facts.agents.flatMap(lockSteps), ...loose], notes: plan.notes }
}

function lockSteps({ id, locks }: HomeFacts['agents'][number]): CleanStep[] {
  return locks.flatMap((lock): CleanStep[] => {
    const target = clearable(lock)
    if (target === null) return []
    const { path } = lock
    const act = { do: 'clear', lock, session: null } as const
    return [{ kind: 'clear-lock', agentId: id, path, key: null, because: target.because, bytes: 0, act, left: null }]
  })
}

/** What everybody on this machine may do. */
const others = 0o007

/** A home that other users can enter, closed at its own door: what lies in it keeps its modes. */
function openHome({ dir }: Home): StepReport[] {
  const mode = modeOf(dir)?.mode ?? 0
  if ((mode & others) === 0 || !isReachable(dirname(dir))) return []
  const because = `others on this machine can enter it (mode ${mode.toString(8).padStart(4, '0')})`
  return [{ kind: 'tighten-mode', path: dir, key: null, because, bytes: 0, done: false, left: null }]
}

async function close({ dir }: Home, step: StepReport, run: Run): Promise<StepReport> {
  const found = follow(dir)
  if (found === null) return { ...step, left: 'it is gone' }
  const judged = { path: dir, identity: found.identity, sha256: null }
  const outcome = await run.setMode(judged, found.mode & ~others, step)
  return { ...step, done: outcome.done, left: outcome.done ? null : outcome.because }
}
