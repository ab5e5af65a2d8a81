import { formatCount, formatDuration, formatSize } from '../../../model/units.ts'
import { factsOfKey } from '../../home/keys.ts'
import type { HomePolicy } from '../../home/policy.ts'
import { derivedFields, type EntryFacts, type IndexFacts } from '../facts.ts'

/** What stands around an index, as far as it decides what may go. */
export interface Surroundings {
  /** By the name of each transcript that is there, when it was last written. Unit: ms. */
  transcripts: ReadonlyMap<string, number>
  /** Keys of sessions and names of transcripts that somebody is at work on. */
  busy: ReadonlySet<string>
  /** Names of earlier copies of the index, `sessions.json.bak.<ms>`. */
  backups: readonly string[]
}

export interface Pruned {
  key: string
  /** Goes to the archive after its entry is gone; null: none is there, or another entry has it as well. */
  transcript: string | null
  because: string
}

/** The index is copied beside itself first, and then loses these fields. */
export interface Rotation {
  because: string
  /** Names of copies that are too many by then. */
  expired: string[]
  fields: readonly string[]
}

export interface UpkeepPlan {
  prune: Pruned[]
  rotate: Rotation | null
}

/** Less than this share of an index is not worth a copy of it. */
const shareMin = 0.1

/**
 * What goes from an index under its policy, with the reason: sessions past their time, then those used longest ago as long as there are too
 * many, then what a gateway makes anew, where the index is over its size. The main session, groups, channels, threads, what is pinned, runs, waits,
 * was touched just now or cannot be told the age of, stays. Entries that share a transcript go together or stay together.
 */
export function planUpkeep(index: IndexFacts, around: Surroundings, policy: HomePolicy, nowMs: number): UpkeepPlan {
  if (index.state !== 'read' || policy.mode === 'off') return { prune: [], rotate: null }
  const sessions = sessionsOf(index.entries, around, policy, nowMs)
  const open = sessions.filter(({ mayGo }) => mayGo).sort((a, b) => a.usedAtMs - b.usedAtMs)
  const prune: Pruned[] = []
  const kept: Session[] = []
  for (const session of open) {
    const because = whyPast(session, policy, nowMs)
    if (because === null) kept.push(session)
    else prune.push(...prunedOf(session, because))
  }
  const because = `the index has ${formatCount(index.entries.length, 'entry', 'entries')}, and at most ${policy.entriesMax} may stay`
  for (const session of [...kept.filter(({ isErrand }) => isErrand), ...kept.filter(({ isErrand }) => !isErrand)]) {
    if (index.entries.length - prune.length <= policy.entriesMax) break
    prune.push(...prunedOf(session, because))
  }
  return { prune, rotate: rotationOf(index, around, policy) }
}

/** Entries of one transcript; of none each is its own. */
interface Session {
  entries: EntryFacts[]
  /** The one that is there. */
  transcript: string | null
  usedAtMs: number
  isErrand: boolean
  mayGo: boolean
}

function sessionsOf(
  entries: readonly EntryFacts[],
  { transcripts, busy }: Surroundings,
  policy: HomePolicy,
  nowMs: number,
): Session[] {
  const groups = Map.groupBy(entries, ({ key, transcript }) => transcript ?? `\0${key}`)
  return [...groups.values()].map((group) => {
    const name = group[0]?.transcript ?? null
    const writtenAtMs = name === null ? undefined : transcripts.get(name)
    const usedAtMs = Math.max(writtenAtMs ?? 0, ...group.map((entry) => entry.usedAtMs))
    const isBusy = (name !== null && busy.has(name)) || group.some(({ key }) => busy.has(key))
    return {
      entries: group,
      transcript: writtenAtMs === undefined ? null : name,
      usedAtMs,
      isErrand: group.every(({ key }) => factsOfKey(key).standing === 'errand'),
      mayGo: usedAtMs > 0 && nowMs - usedAtMs >= policy.recentMs && !isBusy && group.every(mayGo),
    }
  })
}

function mayGo({ key, kind, transcript, elsewhere, pinned, pending, status }: EntryFacts): boolean {
  if (pinned || pending || status === 'running' || (transcript === null && elsewhere !== null)) return false
  const { standing } = factsOfKey(key)
  return standing === 'errand' || (standing === 'ordinary' && kind !== 'group' && kind !== 'thread')
}

function whyPast({ entries, transcript, usedAtMs }: Session, policy: HomePolicy, nowMs: number): string | null {
  const ageMs = nowMs - usedAtMs
  const past = (what: string, limitMs: number | null) =>
    limitMs !== null && ageMs > limitMs
      ? `${what} ${formatDuration(ageMs)} ago; the limit is ${formatDuration(limitMs)}`
      : null
  if (entries.every(({ kind }) => kind === 'cron-run')) return past('a scheduled run, last used', policy.cronRunMs)
  if (transcript === null) return past('it has no transcript and was last used', policy.bindingIdleMs)
  return past('last used', policy.transcriptIdleMs)
}

function prunedOf({ entries, transcript }: Session, because: string): Pruned[] {
  return entries.map(({ key }, at) => ({ key, transcript: at === 0 ? transcript : null, because }))
}

function rotationOf(
  index: Extract<IndexFacts, { state: 'read' }>,
  { backups }: Surroundings,
  policy: HomePolicy,
): Rotation | null {
  if (index.bytes <= policy.indexRotateBytes) return null
  const derived = index.fields.filter(({ field }) => derivedFields.some((each) => each === field))
  const bytes = derived.reduce((sum, weight) => sum + weight.bytes, 0)
  if (bytes < index.bytes * shareMin) return null
  const oldestFirst = [...backups].sort((a, b) => stampOf(a) - stampOf(b))
  return {
    because: `it has ${formatSize(index.bytes)}, the limit is ${formatSize(policy.indexRotateBytes)}`,
    expired: oldestFirst.slice(0, Math.max(0, oldestFirst.length + 1 - policy.indexBackupsKept)),
    fields: derived.map(({ field }) => field),
  }
}

function stampOf(backup: string): number {
  return Number(/\d+$/.exec(backup)?.[0] ?? 0)
}
