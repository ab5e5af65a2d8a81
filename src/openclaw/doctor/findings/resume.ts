import { formatCount, formatDuration } from '../../../model/units.ts'
import type { BindingFile, ThreadBinding } from '../../survey/around.ts'
import type { HomeFacts } from '../../survey/facts.ts'
import { type Interrupted, interruptedOf } from '../../survey/resume.ts'
import { agoOf, type Example, type Finding, finding, listOf, type Seen } from '../finding.ts'

/** What the next start takes up, and what it should not. */
export function findResumes(seen: Seen): Finding[] {
  const { nowMs, home } = seen.facts
  const { resumesMax, resumeAgeMs } = home.policy
  const all = interruptedOf(seen.facts).sort((a, b) => a.entry.usedAtMs - b.entry.usedAtMs)
  const isOld = ({ entry }: Interrupted) => nowMs - entry.usedAtMs > resumeAgeMs
  const resumed = all.filter(({ resumes }) => resumes)
  const burdened = seen.facts.agents
    .map((agent) => ({ agent, resumed: resumed.filter((each) => each.agent === agent).length }))
    .filter((each) => each.resumed > resumesMax)
    .sort((a, b) => b.resumed - a.resumed)
  const stale = resumed.filter(isOld)
  const silent = all.filter(({ resumes }) => !resumes)
  return [
    ...finding(seen, 'RESUME_BURDEN', {
      evidence: `${formatCount(resumed.length, 'session')} would resume (${listOf(burdened.map((each) => `agent ${each.agent.id}: ${each.resumed}`))}); the limit is ${resumesMax} for each agent.`,
      items: resumed.length > 0 && burdened.length > 0 ? resumed : [],
      example: said(nowMs),
    }),
    ...finding(seen, 'RESUME_STALE', {
      evidence: `${formatCount(stale.length, 'session')} interrupted more than ${formatDuration(resumeAgeMs)} ago.`,
      items: stale,
      example: said(nowMs),
    }),
    ...finding(seen, 'RUN_INTERRUPTED', {
      evidence: `${formatCount(silent.length, 'session')}; the next start does not go on with ${silent.length === 1 ? 'it' : 'them'}.`,
      items: silent,
      example: said(nowMs),
    }),
    ...findBindings(seen),
  ]
}

function said(nowMs: number): (interrupted: Interrupted) => Partial<Example> {
  return ({ agent, entry }) => {
    return { agent: agent.id, key: entry.key, says: `running, last used ${agoOf(entry.usedAtMs, nowMs)}` }
  }
}

const failedStates = new Set(['failed', 'killed', 'timeout'])

function findBindings(seen: Seen): Finding[] {
  const { facts, around } = seen
  const states = new Map<string, string | null>()
  for (const { index } of facts.agents) {
    if (index.state === 'read') for (const entry of index.entries) states.set(entry.key, entry.status)
  }
  const isKnown = facts.agents.every(({ index }) => index.state === 'read')
  const stale = around.bindings
    .flatMap((file) => file.bindings.map((binding) => ({ file, binding })))
    .flatMap(({ file, binding }) => {
      const because = staleness(binding, states, isKnown, facts)
      return because === null ? [] : [{ file, binding, because }]
    })
  const unreadable = around.bindings.flatMap((file: BindingFile) => {
    return file.state === 'read' ? [] : [{ path: file.path, because: file.state.unreadable }]
  })
  return [
    ...finding(seen, 'BINDING_STALE', {
      evidence: `${formatCount(stale.length, 'thread')}.`,
      items: stale,
      example: ({ file, binding, because }) => ({ path: file.path, key: binding.key, says: because }),
    }),
    ...finding(seen, 'BINDING_UNREADABLE', {
      evidence: `${listOf(unreadable.map(({ because }) => because))}.`,
      items: unreadable,
      example: ({ path, because }) => ({ path, says: because }),
    }),
  ]
}

function staleness(
  { key, usedAtMs }: ThreadBinding,
  states: ReadonlyMap<string, string | null>,
  isKnown: boolean,
  { nowMs, home }: HomeFacts,
): string | null {
  const status = states.get(key)
  if (status === undefined && isKnown) return 'its session is not in the index'
  if (status !== undefined && status !== null && failedStates.has(status)) return `its session has ended as ${status}`
  const isOld = usedAtMs > 0 && nowMs - usedAtMs > home.policy.bindingIdleMs
  return isOld ? `last used ${agoOf(usedAtMs, nowMs)}` : null
}
