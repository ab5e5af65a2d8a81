import { formatCount, formatDuration } from '../../../model/units.ts'
import { staleBindings } from '../../prestart/bindings.ts'
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

/** What `prestart` would let go, and lists that nobody can read. */
function findBindings(seen: Seen): Finding[] {
  const { lists, unreadable } = seen.around.bindings
  const stale = [...staleBindings(lists, seen.facts)]
  return [
    ...finding(seen, 'BINDING_STALE', {
      evidence: `${formatCount(stale.length, 'thread')}.`,
      items: stale,
      example: ({ path, key, because }) => ({ path, key, says: because }),
    }),
    ...finding(seen, 'BINDING_UNREADABLE', {
      evidence: `${listOf(unreadable.map(({ because }) => because))}.`,
      items: unreadable,
      example: ({ path, because }) => ({ path, says: because }),
    }),
  ]
}
