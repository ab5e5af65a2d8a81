import { kindOf } from '../../src/model/keys.ts'
import { trashKeptMs } from '../../src/retention/plan.ts'
import type { Known } from './known.ts'
import { policy } from './policy.ts'
import type { Shelf, Taking } from './shelf.ts'

export const causes = ['idle', 'age', 'count', 'entries', 'bytes', 'disk', 'ended'] as const
export type Cause = (typeof causes)[number]

const words: Record<Cause, RegExp> = {
  idle: /^idle for /,
  age: /^made /,
  count: /^(\d+) sessions of the kind /,
  entries: /^(\d+) entries in sessions of the kind /,
  bytes: /in sessions of the kind /,
  disk: / on the disk, the budget is /,
  ended: /^ended by a reset /,
}

export function causeOf({ because }: Taking): Cause {
  const found = causes.find((cause) => words[cause].test(because))
  if (found === undefined) throw new Error(`no such reason: ${because}`)
  return found
}

/**
 * Reasons in manifests that the journal's facts belie, one line each. The journal may have missed what was done at the moment of a
 * kill, which was later than what it knows, so that all that is asked of it here is what a true reason implies.
 */
export function untrueReasons(shelf: Shelf, known: Known): string[] {
  const problems: string[] = []
  for (const taking of shelf.takings) {
    const because = untrue(taking, known)
    if (because !== null)
      problems.push(`${taking.folder}: ${taking.key} ${taking.transcript} (${taking.because}): ${because}`)
  }
  for (const { folder, atMs, because, state } of shelf.deleted) {
    const hasExpired = state.expiresAtMs !== null && state.expiresAtMs <= atMs
    const isForSpace = because.includes('on the disk') && atMs - state.sinceMs >= trashKeptMs
    if (state.place !== 'trash' || !(hasExpired || isForSpace)) problems.push(`${folder} was deleted: ${because}`)
    const isEarly = (state.expiresAtMs ?? 0) < state.takenAtMs + policy.trashMaxMs
    if (isEarly)
      problems.push(`${folder} was to expire ${(state.expiresAtMs ?? 0) - state.takenAtMs} ms after it was made`)
  }
  for (const { folder, atMs, because, expiresAtMs, takenAtMs } of shelf.moved) {
    if (expiresAtMs < atMs + policy.trashMaxMs)
      problems.push(`${folder} was to expire ${expiresAtMs - atMs} ms after it came`)
    const isOld = atMs - takenAtMs > (policy.archives.ageMaxMs ?? Number.POSITIVE_INFINITY)
    if (because.startsWith('archived for') ? !isOld : !because.startsWith('the archives hold'))
      problems.push(`${folder} went to the trash: ${because}`)
  }
  const inDoubt = known.suspect
  if (inDoubt !== null) {
    const lines = shelf.folders.flatMap(({ lines }) => lines)
    const touched = lines.filter(({ atMs }) => atMs > inDoubt.fromMs && atMs < inDoubt.toMs)
    problems.push(...touched.map(({ type, atMs }) => `${type} at ${atMs}, while the clock was wrong`))
  }
  return problems
}

function untrue(taking: Taking, known: Known): string | null {
  const { key, kind, transcript, whole, atMs } = taking
  const session = known.session(key)
  const limits = policy.kinds[kind]
  const cause = causeOf(taking)
  const activeMs = session.activeBefore(atMs)
  const quietMs = atMs - (activeMs ?? session.firstMs)
  if (kindOf(key) !== kind) return 'it is of another kind'
  if (session.isPinned(atMs)) return 'it was pinned'
  if (session.isBusy(atMs)) return 'a turn of it waited or ran'
  if (whole && quietMs < policy.recentMs) return `it was active ${quietMs} ms before`
  switch (cause) {
    case 'idle':
      return limits.idleMaxMs !== null && quietMs > limits.idleMaxMs ? null : `it was idle for ${quietMs} ms`
    case 'age':
      return limits.ageMaxMs !== null && atMs - session.firstMs > limits.ageMaxMs ? null : 'it was not that old'
    case 'count':
      return limits.sessionsMax !== null && countIn(taking, cause) > limits.sessionsMax ? null : 'they were not so many'
    case 'entries':
      return limits.entriesMax !== null && countIn(taking, cause) > limits.entriesMax ? null : 'they were not so many'
    case 'bytes':
      return limits.bytesMax !== null ? null : 'there is no such limit'
    case 'disk':
      return policy.disk.budgetBytes !== null ? null : 'there is no budget'
    case 'ended': {
      if (limits.earlierMaxMs === null) return 'there is no such limit'
      const endedMs = session.begunMs.get(transcript + 1) ?? null
      return endedMs !== null && atMs - endedMs <= limits.earlierMaxMs ? `it ended ${atMs - endedMs} ms before` : null
    }
  }
}

const countIn = ({ because }: Taking, cause: Cause): number => Number(words[cause].exec(because)?.[1])

/** That somebody else who was idle longer stayed, when the least recently active were to go. One line each. */
export function unfairOrder(shelf: Shelf, known: Known): string[] {
  const byKind = ['count', 'entries', 'bytes']
  const problems: string[] = []
  const leaving = new Map<string, number[]>()
  for (const { key, whole, atMs } of shelf.takings) {
    if (whole) leaving.set(key, [...(leaving.get(key) ?? []), atMs])
  }
  const sweeps = Map.groupBy(
    shelf.takings.filter((taking) => taking.whole && byKind.includes(causeOf(taking))),
    ({ folder, kind }) => `${folder} ${kind}`,
  )
  for (const takings of sweeps.values()) {
    const [{ kind, atMs, folder }] = takings as [Taking, ...Taking[]]
    const takenMs = Math.max(...takings.map(({ key }) => known.session(key).activeBefore(atMs) ?? 0))
    for (const [key, session] of known.sessions) {
      const activeMs = session.activeBefore(atMs)
      if (kindOf(key) !== kind || activeMs === null || activeMs >= takenMs) continue
      const isGone = (leaving.get(key) ?? []).some((goneMs) => goneMs >= activeMs && goneMs <= atMs + 60_000)
      const stays = session.isPinned(atMs) || session.isBusy(atMs)
      if (!isGone && !stays) problems.push(`${folder}: ${key} was idle longer than others of its kind, and stayed`)
    }
  }
  return problems
}
