import { formatCount, formatDuration, formatSize } from '../../../model/units.ts'
import { factsOfKey } from '../../home/keys.ts'
import type { EntryFacts } from '../../index/facts.ts'
import type { AgentFacts, FileFacts } from '../../survey/facts.ts'
import { agoOf, type Example, type Finding, finding, receiptsOf, type Seen, sumOf } from '../finding.ts'

/** An entry, and its transcript where that is there. */
interface Bound {
  agent: AgentFacts
  entry: EntryFacts
  file: FileFacts | null
}

/** Entries and transcripts, and whether they belong to each other. */
export function findEntries(seen: Seen): Finding[] {
  const bound = seen.facts.agents.flatMap(boundOf)
  return [...findLost(seen, bound), ...findLoose(seen), ...findCronRuns(seen, bound), ...findIdle(seen, bound)]
}

function boundOf(agent: AgentFacts): Bound[] {
  if (agent.index.state !== 'read') return []
  const files = new Map(agent.files.map((file) => [file.name, file]))
  return agent.index.entries.map((entry) => ({ agent, entry, file: files.get(entry.transcript ?? '') ?? null }))
}

/** What entries promise and do not keep. */
function findLost(seen: Seen, bound: Bound[]): Finding[] {
  const { nowMs, home } = seen.facts
  const evidence = (items: Bound[]) => {
    return `${items.length.toLocaleString('en-US')} of ${formatCount(bound.length, 'entry', 'entries')}.`
  }
  const unsafe = bound.filter(({ entry }) => entry.unsafe !== null)
  const outside = bound.filter(({ entry }) => {
    return entry.unsafe === null && entry.elsewhere !== null && entry.transcript === null
  })
  const moved = bound.filter(({ entry, file }) => {
    const isItsOwn = home.elsewhere !== null && entry.elsewhere?.startsWith(`${home.elsewhere}/`) // in its container
    return entry.elsewhere !== null && file !== null && isItsOwn !== true
  })
  const without = bound.filter(({ agent, entry, file }) => {
    const isNew = nowMs - entry.usedAtMs < home.policy.recentMs // its first line may not be written yet
    return entry.unsafe === null && entry.transcript !== null && file === null && agent.state === 'read' && !isNew
  })
  return [
    ...finding(seen, 'ENTRY_UNSAFE_ID', {
      evidence: evidence(unsafe),
      items: unsafe,
      example: ({ agent, entry }) => ({ agent: agent.id, key: entry.key, says: entry.unsafe ?? '' }),
    }),
    ...finding(seen, 'ENTRY_OUTSIDE', {
      evidence: evidence(outside),
      items: outside,
      example: ({ agent, entry }) => ({ agent: agent.id, key: entry.key, path: entry.elsewhere }),
    }),
    ...finding(seen, 'ENTRY_MOVED', {
      evidence: evidence(moved),
      items: moved,
      example: ({ agent, entry }) => ({ agent: agent.id, key: entry.key, path: entry.elsewhere }),
    }),
    ...finding(seen, 'ENTRY_WITHOUT_TRANSCRIPT', { evidence: evidence(without), items: without, example: used(seen) }),
  ]
}

/** Transcripts that no entry names and that no bound transcript continues. */
function findLoose(seen: Seen): Finding[] {
  const items = seen.facts.agents.flatMap((agent) => looseOf(agent, seen).map((file) => ({ agent, file })))
  items.sort((a, b) => b.file.bytes - a.file.bytes)
  const bytes = sumOf(items, ({ file }) => file.bytes)
  return finding(seen, 'TRANSCRIPT_WITHOUT_ENTRY', {
    evidence: `${formatCount(items.length, 'transcript')}, ${formatSize(bytes)}.`,
    items,
    bytes,
    example: ({ agent, file }) => ({
      agent: agent.id,
      path: `${agent.sessionsDir}/${file.name}`,
      says: `${formatSize(file.bytes)}, written ${agoOf(file.mtimeMs, seen.facts.nowMs)}`,
    }),
  })
}

function looseOf(agent: AgentFacts, { facts }: Seen): FileFacts[] {
  const { index, files, locks, transcripts } = agent
  if (index.state !== 'read' || index.entries.length === 0) return [] // INDEX_EMPTY_OVER_TRANSCRIPTS says it
  const named = new Set(index.entries.map(({ transcript }) => transcript))
  const locked = new Set(locks.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)))
  const earlier = earlierParts(named, transcripts)
  const isReceipt = receiptsOf(facts)
  return files.filter(({ name, kind, mtimeMs }) => {
    if (kind !== 'transcript' || named.has(name) || earlier.has(name)) return false
    if (locked.has(`${name}.lock`) || isReceipt({ path: `${agent.sessionsDir}/${name}` })) return false
    return facts.nowMs - mtimeMs >= facts.home.policy.recentMs
  })
}

/** A compaction may go on in a new file whose header names the one before it: that one belongs to the session too. */
function earlierParts(named: ReadonlySet<string | null>, transcripts: AgentFacts['transcripts']): Set<string> {
  const parts = new Set<string>()
  const next = [...named]
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const read = name === null ? undefined : transcripts.get(name)
    const parent = read?.state === 'read' ? (read.header?.parentSession ?? null) : null
    if (parent === null || parts.has(nameOf(parent))) continue
    parts.add(nameOf(parent))
    next.push(nameOf(parent))
  }
  return parts
}

/** `parentSession` is a path, or an id. */
function nameOf(parent: string): string {
  const name = parent.slice(Math.max(parent.lastIndexOf('/'), parent.lastIndexOf('\\')) + 1)
  return name.endsWith('.jsonl') ? name : `${name}.jsonl`
}

function findCronRuns(seen: Seen, bound: Bound[]): Finding[] {
  const { nowMs, home } = seen.facts
  const limitMs = home.policy.cronRunMs
  if (limitMs === null) return []
  const items = bound.filter(({ entry }) => entry.kind === 'cron-run' && isIdle(entry, nowMs, limitMs)).sort(byUse)
  const bytes = bytesOf(items)
  return finding(seen, 'CRON_RUNS_STALE', {
    evidence: `${formatCount(items.length, 'run')} older than ${formatDuration(limitMs)}, ${formatSize(bytes)}.`,
    items,
    bytes,
    example: used(seen),
  })
}

function findIdle(seen: Seen, bound: Bound[]): Finding[] {
  const { nowMs, home } = seen.facts
  const limitMs = home.policy.transcriptIdleMs
  const items = bound.filter(({ entry }) => {
    const stays =
      entry.pinned || entry.pending || entry.status === 'running' || factsOfKey(entry.key).standing === 'protected'
    return !stays && entry.kind !== 'cron-run' && isIdle(entry, nowMs, limitMs)
  })
  const bytes = bytesOf(items)
  return finding(seen, 'SESSIONS_IDLE', {
    evidence: `${formatCount(items.length, 'session')} unused for over ${formatDuration(limitMs)}, ${formatSize(bytes)}.`,
    items: items.sort(byUse),
    bytes,
    example: used(seen),
  })
}

function isIdle({ usedAtMs }: EntryFacts, nowMs: number, limitMs: number): boolean {
  return usedAtMs > 0 && nowMs - usedAtMs > limitMs
}

function byUse(a: Bound, b: Bound): number {
  return a.entry.usedAtMs - b.entry.usedAtMs
}

function bytesOf(bound: Bound[]): number {
  return sumOf(bound, ({ entry, file }) => entry.bytes + (file?.bytes ?? 0))
}

function used({ facts }: Seen): (bound: Bound) => Partial<Example> {
  return ({ agent, entry }) => {
    const says = entry.usedAtMs === 0 ? '' : `last used ${agoOf(entry.usedAtMs, facts.nowMs)}`
    return { agent: agent.id, key: entry.key, says }
  }
}
