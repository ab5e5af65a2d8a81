import { formatDuration } from '../../model/units.ts'
import { factsOfKey } from '../home/keys.ts'
import type { BoundFile, BoundThread } from '../survey/bindings.ts'
import type { HomeFacts } from '../survey/facts.ts'
import type { PrestartStep } from './steps.ts'

/** Threads whose binding has expired by what it says itself, has not been used for the time of bindings, or leads to a session that is gone. */
export function* staleBindings(files: readonly BoundFile[], facts: HomeFacts): Generator<PrestartStep> {
  const known = keysKnown(facts)
  for (const { judged, bindings } of files) {
    const stale = bindings.flatMap((each) => {
      const because = staleness(each, known, facts)
      return because === null ? [] : [{ ...each, because }]
    })
    const places = stale.map(({ place }) => place)
    for (const { key, because, place } of stale) {
      // one write for all of a file; each is told
      const act = { do: 'unbind', judged, places: place === places[0] ? places : [] } as const
      yield { kind: 'drop-binding', agentId: '', path: judged.path, key, because, bytes: 0, act, left: null }
    }
  }
}

/** Keys of all sessions by agent. Of an agent that is not among them, or whose index does not tell, nothing is known to be gone. */
function keysKnown({ agents }: HomeFacts): Map<string, ReadonlySet<string>> {
  return new Map(
    agents.flatMap(({ id, index, state }) => {
      if (index.state !== 'read' || index.entries.length === 0 || state !== 'read') return []
      return [[id, new Set(index.entries.map(({ key }) => key.toLowerCase()))] as const]
    }),
  )
}

function staleness(
  { key, boundAtMs, usedAtMs, idleMs, ageMaxMs }: BoundThread,
  known: ReadonlyMap<string, ReadonlySet<string>>,
  { nowMs, home }: HomeFacts,
): string | null {
  const keys = known.get(factsOfKey(key).agentId ?? '')
  if (keys !== undefined && !keys.has(key.toLowerCase())) return 'it leads to a session that is not in the index'
  if (usedAtMs === 0) return null
  if (idleMs !== null && idleMs > 0 && nowMs >= usedAtMs + idleMs)
    return `unused for ${formatDuration(nowMs - usedAtMs)}; it expires after ${formatDuration(idleMs)}`
  if (ageMaxMs !== null && ageMaxMs > 0 && boundAtMs > 0 && nowMs >= boundAtMs + ageMaxMs)
    return `bound ${formatDuration(nowMs - boundAtMs)} ago; it expires after ${formatDuration(ageMaxMs)}`
  const limitMs = home.policy.bindingIdleMs
  return nowMs - usedAtMs > limitMs && idleMs !== 0
    ? `unused for ${formatDuration(nowMs - usedAtMs)}; the limit is ${formatDuration(limitMs)}`
    : null
}
