import type { EntryRead } from '../entries/entry.ts'
import type { EntryFacts } from '../facts.ts'
import type { Named } from './evidence.ts'
import type { SalvagedIndex } from './salvage.ts'

export interface Copy extends SalvagedIndex {
  /** Of the file in the sessions directory. */
  name: string
  /** It is the index itself, as torn as it may be. */
  isIndex: boolean
}

export interface TranscriptThere {
  name: string
  /** The session that it belongs to, by its name. */
  sessionId: string | null
  mtimeMs: number
}

export interface Binding extends Named {
  transcript: string
  origin: Origin
}

interface Origin {
  from: 'index' | 'copy' | 'trajectory' | 'cron-run' | 'transcript'
  /** The file that tells it. */
  name: string
}

export interface RebuildFacts {
  copies: Copy[]
  transcripts: TranscriptThere[]
  /** Of transcripts that no copy names. */
  bindings: Binding[]
}

interface RebuiltEntry {
  key: string
  /** Name of its transcript, which is there; null: it has none. */
  transcript: string | null
  origin: Origin
}

export interface RebuildPlan {
  /** The new index; null: nothing was found that could stand in it, so that what is there should stay. */
  text: string | null
  entries: RebuiltEntry[]
  /** Each copy with what it holds, the best first: `usable` entries have a transcript that is there. */
  copies: { name: string; entries: number; usable: number; because: string | null }[]
  /** Transcripts that no entry names. They are left where they are. */
  unbound: { transcript: string; because: string }[]
  /** What stands in a copy and is not taken. */
  left: { key: string; name: string; because: string }[]
}

interface Chosen extends RebuiltEntry {
  raw: string
  usedAtMs: number
}

/**
 * A new index from what is left of the old one, from its copies, and from what other files tell of sessions. Copies are judged by what they
 * hold, never by their age or name: for each key the entry whose transcript is there counts, then the one used last, then the one of the
 * index itself. An entry of a copy whose transcript is gone was reset, deleted or archived since, and does not come back. Of transcripts
 * that only another file binds to a key the newest counts.
 */
export function planRebuild({ copies, transcripts, bindings }: RebuildFacts): RebuildPlan {
  const there = new Map(transcripts.map((transcript) => [transcript.name, transcript]))
  const plan: RebuildPlan = { text: null, entries: [], copies: [], unbound: [], left: [] }
  const chosen = new Map<string, Chosen>()
  for (const { copy, usable } of bestFirst(copies, there)) {
    const { name, because } = copy
    plan.copies.push({ name, entries: copy.entries.length, usable, because })
    for (const { raw, read } of copy.entries) {
      const transcript = read.transcripts.find((each) => there.has(each)) ?? null
      const reason = whyLeft(read.facts, transcript, copy.isIndex)
      if (reason !== null) {
        plan.left.push({ key: read.facts.key, name, because: reason })
        continue
      }
      const { key, usedAtMs } = read.facts
      const entry: Chosen = { key, transcript, raw, usedAtMs, origin: { from: copy.isIndex ? 'index' : 'copy', name } }
      const before = chosen.get(key)
      if (before === undefined || isBetter(entry, before)) chosen.set(key, entry)
    }
  }
  plan.left.push(...withoutOwners(chosen))
  const named = new Map(copies.flatMap(({ entries }) => entries.flatMap(({ read }) => keysOf(read))))
  plan.unbound = bindOthers(chosen, transcripts, bindings, named)
  plan.entries = [...chosen.values()].map(({ key, transcript, origin }) => ({ key, transcript, origin }))
  if (chosen.size > 0) plan.text = textOf([...chosen.values()])
  return plan
}

/** By transcript, the key that a copy gives it. */
function keysOf({ facts, transcripts }: EntryRead): [string, string][] {
  return transcripts.map((name) => [name, facts.key])
}

function bestFirst(
  copies: readonly Copy[],
  there: ReadonlyMap<string, TranscriptThere>,
): { copy: Copy; usable: number }[] {
  const counted = copies.map((copy) => ({
    copy,
    usable: copy.entries.filter(({ read }) => read.transcripts.some((name) => there.has(name))).length,
  }))
  return counted.sort(
    (a, b) =>
      b.usable - a.usable || Number(b.copy.isIndex) - Number(a.copy.isIndex) || (a.copy.name < b.copy.name ? -1 : 1),
  )
}

function whyLeft({ unsafe }: EntryFacts, transcript: string | null, isIndex: boolean): string | null {
  if (unsafe !== null) return unsafe
  return transcript === null && !isIndex ? 'its transcript is not there any more' : null
}

function isBetter(a: Chosen, b: Chosen): boolean {
  if ((a.transcript === null) !== (b.transcript === null)) return a.transcript !== null
  if (a.usedAtMs !== b.usedAtMs) return a.usedAtMs > b.usedAtMs
  return a.origin.from === 'index' && b.origin.from !== 'index'
}

/**
 * A transcript may have had another key when a copy was made. Of the files that bind it to several the best one counts, so that two
 * conversations are not led into one. Takes the others out and gives them.
 */
function withoutOwners(chosen: Map<string, Chosen>): RebuildPlan['left'] {
  const owners = new Map<string, Chosen>()
  for (const entry of chosen.values()) {
    if (entry.transcript === null) continue
    const owner = owners.get(entry.transcript)
    if (owner === undefined || isOwner(entry, owner)) owners.set(entry.transcript, entry)
  }
  const left: RebuildPlan['left'] = []
  for (const { key, transcript, origin } of [...chosen.values()]) {
    const owner = transcript === null ? undefined : owners.get(transcript)
    if (owner === undefined || owner.origin.name === origin.name) continue
    chosen.delete(key)
    left.push({ key, name: origin.name, because: `its transcript belongs to ${owner.key} by now` })
  }
  return left
}

function isOwner(a: Chosen, b: Chosen): boolean {
  if (a.origin.from !== b.origin.from) return a.origin.from === 'index'
  return a.usedAtMs > b.usedAtMs
}

/** Adds entries for keys that have none. Gives the transcripts that are left, with the reason. */
function bindOthers(
  chosen: Map<string, Chosen>,
  transcripts: readonly TranscriptThere[],
  bindings: readonly Binding[],
  named: ReadonlyMap<string, string>,
): RebuildPlan['unbound'] {
  const bound = new Set([...chosen.values()].flatMap(({ transcript }) => transcript ?? []))
  const byTranscript = new Map(bindings.map((binding) => [binding.transcript, binding]))
  const unbound: RebuildPlan['unbound'] = []
  for (const transcript of [...transcripts].sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    if (bound.has(transcript.name)) continue
    const binding = byTranscript.get(transcript.name)
    const { name, mtimeMs } = transcript
    const key = binding?.key ?? named.get(name)
    if (key !== undefined && chosen.has(key)) {
      unbound.push({ transcript: name, because: `an earlier one of ${key}` })
    } else if (binding === undefined) {
      unbound.push({ transcript: name, because: 'no file tells which session it belongs to' })
    } else {
      chosen.set(binding.key, {
        key: binding.key,
        transcript: name,
        origin: binding.origin,
        usedAtMs: mtimeMs,
        raw: entryFor(binding, transcript),
      })
    }
  }
  return unbound
}

/** The least that a gateway needs; it adds the rest with the next message. A name that it would not find by itself is told, relative. */
function entryFor({ key, sessionId, transcript }: Binding, { mtimeMs }: TranscriptThere): string {
  const topic = /:(?:thread|topic):([^:]+)$/i.exec(key)?.[1]
  const expected = topic === undefined ? `${sessionId}.jsonl` : `${sessionId}-topic-${encodeURIComponent(topic)}.jsonl`
  const named = transcript === expected ? {} : { sessionFile: transcript }
  const entry = { sessionId, updatedAt: Math.floor(mtimeMs), ...named }
  return JSON.stringify(entry, null, 2).replaceAll('\n', '\n  ')
}

function textOf(entries: readonly Chosen[]): string {
  return `{\n  ${entries.map(({ key, raw }) => `${JSON.stringify(key)}: ${raw}`).join(',\n  ')}\n}`
}
