import type { Clock } from '../../host/clock.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { formatCount } from '../../model/units.ts'
import type { Run } from '../changes/begin.ts'
import type { Outcome, StepReport } from '../changes/run.ts'
import { rootOf } from '../files/place.ts'
import { collectRebuild } from '../index/rebuild/collect.ts'
import { planRebuild, type RebuildPlan } from '../index/rebuild/plan.ts'
import { lockIndex } from '../index/store/lock.ts'
import { withoutPath } from '../survey/because.ts'
import type { AgentFacts, HomeFacts } from '../survey/facts.ts'

/** An index that is to be made anew, and what from. */
export interface IndexStep extends StepReport {
  kind: 'rebuild-index'
  entries: number
  /** Files that entries were taken from, the one that gave most first. */
  from: { name: string; entries: number }[]
  /** Transcripts that no entry leads to. They stay where they are. */
  unbound: RebuildPlan['unbound']
}

/** Others may be at work on the index for so long. Unit: ms. */
const patienceMs = 5_000

/**
 * Makes the index of an agent anew where it cannot be read, or where there is none, or an empty one, over transcripts. null: it is as it
 * should be. `run` null: what would be done, and nothing is. @throws HoldfastError STORE_IO, ARCHIVE_DAMAGED and others that end a run
 */
export async function rebuildIndex(
  facts: HomeFacts,
  agent: AgentFacts,
  run: Run | null,
  clock: Clock,
): Promise<IndexStep | null> {
  const wrong = wrongWith(agent)
  const of = facts.home.agents.find(({ id }) => id === agent.id)
  if (wrong === null || of === undefined) return null
  const bytes = 'bytes' in agent.index ? agent.index.bytes : 0
  const base = { kind: 'rebuild-index', path: of.indexPath, key: null, bytes, done: false, left: null } as const
  const none: IndexStep = { ...base, because: wrong, entries: 0, from: [], unbound: [] }
  if (facts.gateway.state !== 'stopped')
    return { ...none, left: 'a gateway that may run would write over it: stop it first' }
  if (agent.index.state === 'unreadable' && agent.index.identity === null) return { ...none, left: agent.index.because }
  const root = rootOf(facts.home, agent.sessionsDir)
  const plan = planRebuild(await collectRebuild(of, root, facts.nowMs))
  const step = { ...none, entries: plan.entries.length, from: sourcesOf(plan), unbound: plan.unbound }
  step.because = `${wrong}; ${madeOf(step)}`
  if (plan.text === null) return { ...step, left: 'nothing was found that it could be made from' }
  if (run === null) return step
  try {
    using _ = await lockIndex(of, root, clock, clock.steadyMs() + patienceMs)
    const lock = `${of.indexPath}.lock`
    run.heldLocks.add(lock)
    const outcome = await put(agent, of.indexPath, run, { step, text: plan.text })
    run.heldLocks.delete(lock)
    return { ...step, done: outcome.done, left: outcome.done ? null : outcome.because }
  } catch (error) {
    if (!isHoldfastError(error, 'HOME_BUSY')) throw error
    return { ...step, left: withoutPath(String(error.facts.because ?? error.message), of.indexPath) }
  }
}

async function put(
  { index }: AgentFacts,
  path: string,
  run: Run,
  { step, text }: { step: IndexStep; text: string },
): Promise<Outcome> {
  const note = { kind: step.kind, because: step.because, key: null }
  const content = Buffer.from(text)
  const identity = index.state === 'absent' ? null : index.identity
  if (identity === null) return await run.create(path, content, note)
  return await run.replace({ path, identity, sha256: null }, content, note)
}

/** Why the index should be made anew; null: there is no reason. */
function wrongWith({ index, files, state }: AgentFacts): string | null {
  if (state !== 'read') return null
  if (index.state === 'unreadable') return `it cannot be read (${index.because})`
  const transcripts = files.filter(({ kind }) => kind === 'transcript').length
  if (transcripts === 0) return null
  const over = `over ${formatCount(transcripts, 'transcript')}`
  if (index.state === 'absent') return `there is none ${over}`
  return index.entries.length === 0 ? `it is empty ${over}` : null
}

function sourcesOf({ entries }: RebuildPlan): IndexStep['from'] {
  const counts = new Map<string, number>()
  for (const { origin } of entries) counts.set(origin.name, (counts.get(origin.name) ?? 0) + 1)
  return [...counts].map(([name, count]) => ({ name, entries: count })).sort((a, b) => b.entries - a.entries)
}

function madeOf({ entries, from }: IndexStep): string {
  const [best, ...others] = from
  if (best === undefined) return 'no entry was found'
  const rest = others.length === 0 ? '' : `, and ${formatCount(others.length, 'other file')}`
  return `${formatCount(entries, 'entry', 'entries')} from ${best.name}${rest}`
}
