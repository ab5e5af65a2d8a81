import { formatDuration } from '../../model/units.ts'
import type { Judged } from '../files/identity.ts'
import { factsOfKey } from '../home/keys.ts'
import type { HomeFacts } from '../survey/facts.ts'
import type { PrestartStep } from './steps.ts'

/*
 * Up to 2026.6 channels keep which thread belongs to which session in `<home>/discord/thread-bindings.json` (`bindings` is an object by
 * account and thread), `<home>/telegram/thread-bindings-<account>.json` and `<home>/matrix/…/thread-bindings.json` (a list); version 1. From
 * 2026.7 they are in a database, and these files are what is left to be taken over.
 */

/** One list of bound threads, as it was read. */
export interface BoundFile {
  judged: Judged
  bindings: BoundThread[]
}

export interface BoundThread {
  /** Its key in the object, or its place in the list. */
  place: string
  /** Of the session. */
  key: string
  /** 0 where it is not told. Unit: ms. */
  boundAtMs: number
  /** The later of being bound and being used; 0 where neither is told. Unit: ms. */
  usedAtMs: number
  /** As it says itself; null: the gateway's configuration decides, 0: never. Unit: ms. */
  idleMs: number | null
  ageMaxMs: number | null
}

/** The bound threads in the text of such a file; null where it is none. Those without a session are not among them. */
export function boundThreads(text: string): BoundThread[] | null {
  const file = parsed(text)
  if (!isRecord(file) || file.version !== 1) return null
  const { bindings } = file
  if (typeof bindings !== 'object' || bindings === null) return null
  return Object.entries(bindings).flatMap(([place, each]): BoundThread[] => {
    if (!isRecord(each)) return []
    const key = each.targetSessionKey ?? each.sessionKey
    if (typeof key !== 'string' || key.trim() === '') return []
    const boundAtMs = timeIn(each.boundAt) ?? 0
    const usedAtMs = Math.max(boundAtMs, timeIn(each.lastActivityAt) ?? 0)
    const limits = { idleMs: timeIn(each.idleTimeoutMs), ageMaxMs: timeIn(each.maxAgeMs) }
    return [{ place, key: key.trim(), boundAtMs, usedAtMs, ...limits }]
  })
}

/** The same file without these threads; all else is kept. */
export function withoutThreads(text: string, places: readonly string[]): string {
  const file = parsed(text)
  if (!isRecord(file)) return text
  const gone = new Set(places)
  const kept = Object.entries(file.bindings as object).filter(([place]) => !gone.has(place))
  const bindings = Array.isArray(file.bindings) ? kept.map(([, each]) => each) : Object.fromEntries(kept)
  return `${JSON.stringify({ ...file, bindings }, null, 2)}\n`
}

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

function timeIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
