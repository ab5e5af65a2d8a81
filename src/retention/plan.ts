import type { SessionKey, SessionKind } from '../model/keys.ts'
import { formatDuration, formatSize } from '../model/units.ts'
import type { EarlierFacts, KindFacts, RetentionFacts, SessionFacts } from '../store/retention.ts'
import { type Budget, budgetOf, type OverBudget, overBudgetOf } from './budget.ts'
import type { KindPolicy, RetentionEnd, RetentionPolicy } from './policy.ts'
import type { FolderFacts, RetentionStep, TakeOutCause } from './steps.ts'

export interface PlanInput {
  facts: RetentionFacts
  /** The `limit` that the facts were read with. */
  limit: number
  folders: readonly FolderFacts[]
  policy: RetentionPolicy
  nowMs: number
  /** An earlier round of this sweep was over the high mark, and the low one is not reached yet. */
  draining: boolean
  /** Keys and folders that were tried in this sweep and stayed. */
  stayed: ReadonlySet<string>
  stepsMax: number
}

export interface RetentionPlan {
  steps: RetentionStep[]
  draining: boolean
  /** What the budget would still need when all of this is done; null when it is met, or there is none. */
  overBudget: OverBudget | null
  /** Steps were left out, or the facts end before all that may go: another round finds them. */
  more: boolean
}

type TakeOut = Extract<RetentionStep, { kind: 'take out' }>

/**
 * What goes now, in this order: what has expired in the trash; archives that are too old or too many; then sessions over a limit of
 * their kind, the least recently active first, and transcripts that a reset has ended; last, what the disk budget asks for.
 * Who is protected or was active within `recentMs` is not among the facts, and so never here.
 */
export function planRetention(input: PlanInput): RetentionPlan {
  const { facts, folders, policy, nowMs, stayed } = input
  const there = folders.filter(({ folder }) => !stayed.has(folder))
  const steps: RetentionStep[] = [...planTrash(there, policy, nowMs), ...planArchives(there, policy, nowMs)]
  const gone = new Map<SessionKey, TakeOut>()
  for (const kind of facts.kinds) {
    for (const step of planKind(kind, policy.kinds[kind.kind], nowMs, stayed)) gone.set(step.key, step)
  }
  const earlier = planEarlier(facts.earlier, policy, nowMs, (key) => gone.has(key) || stayed.has(key))
  steps.push(...gone.values(), ...earlier)
  const budget = budgetOf(facts, folders, policy.disk, input.draining, steps)
  if (budget !== null) steps.push(...planBudget(input, budget, there, steps, gone))
  return {
    steps: steps.slice(0, input.stepsMax),
    draining: budget?.draining ?? false,
    overBudget: budget === null ? null : overBudgetOf(budget, steps, folders),
    more: steps.length > input.stepsMax || endsEarly(input, steps),
  }
}

/** Of an empty folder the manifest stays as long as trash does, and a day at least: it says what became of what was there. */
function* planTrash(folders: readonly FolderFacts[], policy: RetentionPolicy, nowMs: number): Generator<RetentionStep> {
  for (const { place, folder, sinceMs, expiresAtMs, bytes, transcripts } of oldestFirst(folders)) {
    if (transcripts === 0) {
      if (nowMs - sinceMs <= Math.max(policy.trashMaxMs, trashKeptMs)) continue
      yield { kind: 'forget', place, folder, bytes, cause: 'empty', because: 'nothing of it is archived any more' }
    } else if (place === 'trash' && expiresAtMs !== null && expiresAtMs <= nowMs) {
      const because = `in the trash for ${formatDuration(nowMs - sinceMs)}`
      yield { kind: 'delete', folder, transcripts, bytes, cause: 'expired', because }
    }
  }
}

function* planArchives(
  folders: readonly FolderFacts[],
  { archives: { ageMaxMs, bytesMax } }: RetentionPolicy,
  nowMs: number,
): Generator<RetentionStep> {
  const archives = oldestFirst(folders.filter(({ place, transcripts }) => place === 'archives' && transcripts > 0))
  let keptBytes = archives.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const { folder, transcripts, bytes, sinceMs } of archives) {
    const ageMs = nowMs - sinceMs
    if (ageMaxMs !== null && ageMs > ageMaxMs) {
      const because = `archived for ${formatDuration(ageMs)}, the limit is ${formatDuration(ageMaxMs)}`
      yield { kind: 'to trash', folder, transcripts, bytes, cause: 'age', because }
    } else if (bytesMax !== null && keptBytes > bytesMax) {
      const because = `the archives hold ${formatSize(keptBytes)}, the limit is ${formatSize(bytesMax)}`
      yield { kind: 'to trash', folder, transcripts, bytes, cause: 'bytes', because }
    } else {
      continue
    }
    keptBytes -= bytes
  }
}

function planKind(kind: KindFacts, policy: KindPolicy, nowMs: number, stayed: ReadonlySet<string>): TakeOut[] {
  const steps = new Map<SessionKey, TakeOut>()
  const left = { sessions: kind.sessions, entries: kind.entries, bytes: kind.bytes }
  const take = (session: SessionFacts, cause: TakeOutCause, because: string) => {
    if (steps.has(session.key) || stayed.has(session.key)) return
    steps.set(session.key, takeOutOf(session, policy.end, cause, because))
    left.sessions -= 1
    left.entries -= session.entries
    left.bytes -= session.bytes
  }
  for (const session of kind.idlest) {
    const idleMs = nowMs - session.activeAtMs
    if (policy.idleMaxMs === null || idleMs <= policy.idleMaxMs) break
    take(session, 'idle', `idle for ${formatDuration(idleMs)}, the limit is ${formatDuration(policy.idleMaxMs)}`)
  }
  for (const session of kind.eldest) {
    const ageMs = nowMs - session.createdAtMs
    if (policy.ageMaxMs === null || ageMs <= policy.ageMaxMs) break
    take(session, 'age', `made ${formatDuration(ageMs)} ago, the limit is ${formatDuration(policy.ageMaxMs)}`)
  }
  for (const session of kind.idlest) {
    const over = overOf(left, policy, kind.kind)
    if (over === null) break
    take(session, over.cause, over.because)
  }
  return [...steps.values()]
}

function overOf(
  left: { sessions: number; entries: number; bytes: number },
  { sessionsMax, entriesMax, bytesMax }: KindPolicy,
  kind: SessionKind,
): { cause: TakeOutCause; because: string } | null {
  const over = (found: string, limit: string) => `${found} of the kind ${kind}, the limit is ${limit}`
  if (sessionsMax !== null && left.sessions > sessionsMax)
    return { cause: 'count', because: over(`${left.sessions} sessions`, `${sessionsMax}`) }
  if (entriesMax !== null && left.entries > entriesMax)
    return { cause: 'entries', because: over(`${left.entries} entries in sessions`, `${entriesMax}`) }
  if (bytesMax !== null && left.bytes > bytesMax)
    return { cause: 'bytes', because: over(`${formatSize(left.bytes)} in sessions`, formatSize(bytesMax)) }
  return null
}

function* planEarlier(
  earlier: readonly EarlierFacts[],
  policy: RetentionPolicy,
  nowMs: number,
  isLeftOut: (key: SessionKey) => boolean,
): Generator<TakeOut> {
  for (const { key, kind, transcript, endedAtMs, entries } of earlier) {
    const { earlierMaxMs, end } = policy.kinds[kind]
    const endedMs = nowMs - endedAtMs
    if (earlierMaxMs === null || endedMs <= Math.max(earlierMaxMs, policy.recentMs) || isLeftOut(key)) continue
    yield {
      kind: 'take out',
      key,
      sessionKind: kind,
      transcripts: [transcript],
      whole: false,
      end,
      entries,
      lastAtMs: endedAtMs,
      bytes: 0,
      cause: 'ended',
      because: `ended by a reset ${formatDuration(endedMs)} ago, the limit is ${formatDuration(earlierMaxMs)}`,
    }
  }
}

/** Trash is rubbish that waits; a session is somebody's. So the trash goes first, but for what has just come there. */
function* planBudget(
  { facts, policy, nowMs, stayed }: PlanInput,
  budget: Budget,
  folders: readonly FolderFacts[],
  planned: readonly RetentionStep[],
  gone: ReadonlyMap<SessionKey, TakeOut>,
): Generator<RetentionStep> {
  const goes = new Set(planned.flatMap((step) => ('folder' in step ? [step.folder] : [])))
  const trash = folders.filter(
    ({ place, folder, transcripts }) => place === 'trash' && transcripts > 0 && !goes.has(folder),
  )
  for (const { folder, transcripts, bytes, sinceMs } of oldestFirst(trash)) {
    if (budget.isMet()) return
    const inTrashMs = nowMs - sinceMs
    if (inTrashMs < trashKeptMs) continue
    const because = `${budget.because}; in the trash for ${formatDuration(inTrashMs)}`
    const step: RetentionStep = { kind: 'delete', folder, transcripts, bytes, cause: 'disk', because }
    budget.count(step)
    yield step
  }
  const sessions = facts.kinds
    .flatMap(({ idlest }) => idlest)
    .filter(({ key }) => !gone.has(key) && !stayed.has(key))
    .sort((a, b) => a.activeAtMs - b.activeAtMs)
  for (const session of sessions) {
    if (budget.isMet() || !budget.isReachable()) return
    const step = takeOutOf(session, policy.kinds[session.kind].end, 'disk', budget.because)
    budget.count(step)
    yield step
  }
}

/** However full the disk is, there is a day to notice a mistake. */
export const trashKeptMs = 24 * 3_600_000

function takeOutOf(session: SessionFacts, end: RetentionEnd, cause: TakeOutCause, because: string): TakeOut {
  const { key, kind, transcripts, entries, bytes, activeAtMs: lastAtMs } = session
  const of = { key, sessionKind: kind, transcripts, whole: true, entries, bytes, lastAtMs }
  return { kind: 'take out', ...of, end, cause, because }
}

/** A list that is full and of which nothing more could be taken may hide what comes after it. */
function endsEarly({ facts, limit }: PlanInput, steps: readonly RetentionStep[]): boolean {
  if (facts.earlier.length >= limit) return true
  const taken = new Set(steps.flatMap((step) => (step.kind === 'take out' ? [step.key] : [])))
  return facts.kinds.some(({ idlest, eldest }) =>
    [idlest, eldest].some((list) => list.length >= limit && taken.has(list.at(-1)?.key as SessionKey)),
  )
}

function oldestFirst(folders: readonly FolderFacts[]): FolderFacts[] {
  return [...folders].sort((a, b) => a.sinceMs - b.sinceMs || (a.folder < b.folder ? -1 : 1))
}
