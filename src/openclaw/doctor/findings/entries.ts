import { formatCount, formatDuration, formatSize } from '../../../model/units.ts'
import { sessionsOf } from '../../clean/plan/sessions.ts'
import { namedIn } from '../../home/receipts.ts'
import type { EntryFacts } from '../../index/facts.ts'
import type { AgentFacts, FileFacts } from '../../survey/facts.ts'
import { agoOf, type Example, type Finding, finding, type Seen, sumOf } from '../finding.ts'

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
    ...finding(seen, 'ENTRY_WITHOUT_TRANSCRIPT', {
      evidence: evidence(without),
      items: without,
      example: used(seen),
      ...(without.some(goesIn(seen)) ? {} : { fix: whenItGoes(home.policy.bindingIdleMs) }),
    }),
  ]
}

function whenItGoes(limitMs: number): string {
  return `Bring the transcript back if it was moved. Else \`holdfast clean\` lets the entry go after ${formatDuration(limitMs)}.`
}

/** Transcripts that no entry names and that no bound transcript continues. */
function findLoose(seen: Seen): Finding[] {
  const items = seen.facts.agents.flatMap((agent) => looseOf(agent, seen).map((file) => ({ agent, file })))
  items.sort((a, b) => b.file.bytes - a.file.bytes)
  const bytes = sumOf(items, ({ file }) => file.bytes)
  const going = new Set(seen.plan.steps.flatMap(({ kind, path }) => (kind === 'archive-transcript' ? [path] : [])))
  const ready = items.filter(({ agent, file }) => going.has(`${agent.sessionsDir}/${file.name}`)).length
  const limit = formatDuration(seen.facts.home.policy.transcriptIdleMs)
  const stay = ready === 0 || ready === items.length ? '' : ` ${ready.toLocaleString('en-US')} of them can go now.`
  return finding(seen, 'TRANSCRIPT_WITHOUT_ENTRY', {
    evidence: `${formatCount(items.length, 'transcript')}, ${formatSize(bytes)}.${stay}`,
    ...(ready > 0 ? {} : { fix: `Nothing now: \`holdfast clean\` takes them ${limit} after they were last written.` }),
    items,
    bytes,
    example: ({ agent, file }) => ({
      agent: agent.id,
      path: `${agent.sessionsDir}/${file.name}`,
      says: `${formatSize(file.bytes)}, written ${agoOf(file.mtimeMs, seen.facts.nowMs)}`,
    }),
  })
}

/** Transcripts that are part of no session. Those of an empty index are told by INDEX_EMPTY_OVER_TRANSCRIPTS. */
function looseOf(agent: AgentFacts, { facts, parents }: Seen): FileFacts[] {
  const { index, files, locks } = agent
  if (index.state !== 'read' || index.entries.length === 0) return []
  const owned = new Set(sessionsOf(agent, parents.get(agent.id) ?? new Map()).flatMap((session) => session.files))
  const locked = new Set(locks.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)))
  const isReceipt = namedIn(facts.home.receipts)
  return files.filter((file) => {
    if (file.kind !== 'transcript' || owned.has(file) || locked.has(`${file.name}.lock`)) return false
    if (isReceipt(`${agent.sessionsDir}/${file.name}`)) return false
    return facts.nowMs - file.mtimeMs >= facts.home.policy.recentMs
  })
}

/** Sessions that `clean` takes because of their age; those over the cap are told by INDEX_CROWDED. */
function goingOf(seen: Seen, bound: Bound[]): Bound[] {
  const { nowMs, home } = seen.facts
  const isPast = ({ entry }: Bound) => {
    const limitMs = entry.kind === 'cron-run' ? home.policy.cronRunMs : home.policy.transcriptIdleMs
    return limitMs !== null && nowMs - entry.usedAtMs > limitMs
  }
  return bound.filter(isPast).filter(goesIn(seen)).sort(byUse)
}

/** Whether `clean` would take the entry now. */
function goesIn({ plan }: Seen): (bound: Bound) => boolean {
  const going = new Set(plan.steps.flatMap(({ act, agentId, key }) => (act.do === 'drop' ? [`${agentId} ${key}`] : [])))
  return ({ agent, entry }) => going.has(`${agent.id} ${entry.key}`)
}

function findCronRuns(seen: Seen, bound: Bound[]): Finding[] {
  const items = goingOf(seen, bound).filter(({ entry }) => entry.kind === 'cron-run')
  const bytes = bytesOf(items)
  const limit = formatDuration(seen.facts.home.policy.cronRunMs ?? 0)
  return finding(seen, 'CRON_RUNS_STALE', {
    evidence: `${formatCount(items.length, 'run')} older than ${limit}, ${formatSize(bytes)}.`,
    items,
    bytes,
    example: used(seen),
  })
}

function findIdle(seen: Seen, bound: Bound[]): Finding[] {
  const items = goingOf(seen, bound).filter(({ entry }) => entry.kind !== 'cron-run')
  const bytes = bytesOf(items)
  const limit = formatDuration(seen.facts.home.policy.transcriptIdleMs)
  return finding(seen, 'SESSIONS_IDLE', {
    evidence: `${formatCount(items.length, 'session')} unused for over ${limit}, ${formatSize(bytes)}.`,
    items,
    bytes,
    example: used(seen),
  })
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
