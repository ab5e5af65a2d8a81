import { formatCount, formatDuration } from '../../model/units.ts'
import { indexPathOf } from '../clean/plan/plan.ts'
import { lockedName } from '../clean/plan/stay.ts'
import type { CleanPlan, Plan } from '../clean/steps.ts'
import type { BoundFile } from '../survey/bindings.ts'
import type { AgentFacts, HomeFacts } from '../survey/facts.ts'
import { staleBindings } from './bindings.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import type { PrestartAct, PrestartStep, Tail } from './steps.ts'

export interface PrestartInput {
  facts: HomeFacts
  /** By path; of those that were wanted. */
  tails: ReadonlyMap<string, Tail>
  bindings: readonly BoundFile[]
  /** What cleaning has left for a time when the gateway is down. */
  clean: CleanPlan
}

/** So many starts go on with one turn; one more would only repeat what has not worked. */
const attemptsMax = 3

/**
 * What is put right before a gateway starts: indexes that cannot be read; sessions that should not be gone on with (too old, failed, without a readable
 * transcript, over the number for each agent); locks that nobody holds; transcripts that are torn; bindings that have expired; and
 * what cleaning has left. A session that is gone on with keeps what tells the gateway to do so.
 */
export function planPrestart({ facts, tails, bindings, clean }: PrestartInput): Plan<PrestartAct> {
  const plan: Plan<PrestartAct> = { steps: [], notes: [...clean.notes] }
  if (facts.home.generation === 'sqlite') return plan
  const dropped = new Set(clean.steps.flatMap(({ act, key }) => (act.do === 'drop' ? [key] : [])))
  const candidates = candidatesOf(facts).map((some) => some.filter(({ entry }) => !dropped.has(entry.key)))
  facts.agents.forEach((agent, at) => {
    if (typeof agent.state === 'object') return
    const indexPath = indexPathOf(facts, agent)
    const own = (step: Pick<PrestartStep, 'kind' | 'act' | 'because'> & Partial<PrestartStep>): PrestartStep => {
      return { agentId: agent.id, path: indexPath, key: null, bytes: 0, left: null, ...step }
    }
    if (agent.index.state === 'unreadable') {
      const { because, bytes } = agent.index
      plan.steps.push(own({ kind: 'rebuild-index', act: { do: 'rebuild' }, because, bytes }))
    }
    const { settled, resumed } = verdicts(candidates[at] ?? [], tails, facts)
    for (const [{ entry }, because] of settled) {
      const act = { do: 'settle', isChild: entry.kind === 'subagent' } as const
      plan.steps.push(own({ kind: 'settle-entry', key: entry.key, act, because, bytes: entry.bytes }))
    }
    plan.steps.push(...locksOf(agent, resumed, own))
    for (const { entry, path } of resumed) {
      const tail = tails.get(path ?? '')
      if (path === null || tail?.state !== 'read' || !tail.torn) continue
      const because = 'it is gone on with, and its beginning or its end is broken'
      plan.steps.push(own({ kind: 'repair-transcript', path, key: entry.key, act: { do: 'mend' }, because }))
    }
    const count = resumed.filter(({ resumes }) => resumes).length
    if (count > 0) plan.notes.push(`The start goes on with ${formatCount(count, 'session')} of agent ${agent.id}.`)
  })
  plan.steps.push(...deferred(clean), ...staleBindings(bindings, facts))
  for (const step of plan.steps) step.left ??= leftOf(facts)
  return plan
}

function verdicts(candidates: readonly Candidate[], tails: ReadonlyMap<string, Tail>, facts: HomeFacts) {
  const { resumesMax, sources } = facts.home.policy
  const settled: [Candidate, string][] = []
  const resumed: Candidate[] = []
  for (const candidate of candidates) {
    const tail = tails.get(candidate.path ?? '') ?? null
    const because = whyNot(candidate, tail, facts)
    if (because !== null) settled.push([candidate, because])
    else if (resumed.length < resumesMax) resumed.push(candidate)
    else {
      const from = sources.resumesMax === undefined ? '' : ` (${sources.resumesMax})`
      settled.push([candidate, `over the number that a start goes on with; the limit is ${resumesMax}${from}`])
    }
  }
  return { settled, resumed }
}

/** Why a session should not be gone on with; null: it may be. */
function whyNot({ cutOffAtMs, entry, path, agent }: Candidate, tail: Tail | null, facts: HomeFacts): string | null {
  const { nowMs, home } = facts
  const { resumeAgeMs, sources } = home.policy
  const ageMs = nowMs - cutOffAtMs
  if (ageMs > resumeAgeMs) {
    const since = cutOffAtMs === 0 ? 'nobody knows when' : `${formatDuration(ageMs)} ago`
    const from = sources.resumeAgeMs === undefined ? '' : ` (${sources.resumeAgeMs})`
    return `cut off ${since}; the limit is ${formatDuration(resumeAgeMs)}${from}`
  }
  const name = entry.transcript
  if (path === null || tail?.state === 'missing' || !agent.files.some((file) => file.name === name))
    return 'its transcript is not there'
  if (tail?.state === 'unreadable') return `its transcript cannot be read: ${tail.because}`
  if (tail === null || entry.pending) return null
  if (tail.failed) return 'its last turn has ended in an error'
  if (tail.attempts >= attemptsMax) return `${formatCount(tail.attempts, 'start')} went on with it and got no answer`
  return tail.lastRole === null ? 'its transcript holds no message' : null
}

/** Locks that nobody holds. What one of them would tell the gateway of a session that is gone on with, its entry tells from now on. */
function* locksOf(
  agent: AgentFacts,
  resumed: readonly Candidate[],
  own: (step: Pick<PrestartStep, 'kind' | 'act' | 'because'> & Partial<PrestartStep>) => PrestartStep,
): Generator<PrestartStep> {
  const stale = agent.locks.filter(
    ({ verdict }) => verdict === 'dead' || verdict === 'recycled' || verdict === 'malformed',
  )
  const names = new Set(stale.map(({ path }) => lockedName(path)))
  for (const { entry } of resumed) {
    if (entry.abortedLastRun || entry.transcript === null || !names.has(entry.transcript)) continue
    const because = 'its lock told that it was cut off; now its entry does, so that the start goes on with it'
    yield own({ kind: 'mark-entry', key: entry.key, act: { do: 'mark' }, because, bytes: entry.bytes })
  }
  for (const lock of stale) {
    yield own({ kind: 'clear-lock', path: lock.path, act: { do: 'clear', lock }, because: lock.proof })
  }
}

/** The part of cleaning that only the index has to do with; transcripts follow when the next cleaning finds them unnamed. */
function* deferred({ steps }: CleanPlan): Generator<PrestartStep> {
  for (const { act, ...step } of steps) {
    if (act.do === 'drop') yield { ...step, left: null, act: { do: 'drop' } }
    if (act.do === 'slim') yield { ...step, left: null, act }
  }
}

function leftOf({ gateway, home }: HomeFacts): string | null {
  if (home.generation === 'mixed')
    return 'a part of this home is in a database, and nothing is changed until that move is finished'
  switch (gateway.state) {
    case 'stopped':
      return null
    case 'running':
      return `the gateway runs already (process ${gateway.pid})`
    case 'unknown':
      return `it cannot be told whether a gateway runs (${gateway.because})`
  }
}
