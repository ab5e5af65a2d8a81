import { formatCount, formatSize } from '../../../model/units.ts'
import { type FileKind, kindOfName } from '../../home/names.ts'
import type { AgentFacts, HomeFacts, OddFile } from '../../survey/facts.ts'
import { agoOf, type Finding, finding, listOf, type Placed, receiptsOf, type Seen, sumOf } from '../finding.ts'

/** What people call each kind of what is left. */
const leftoverNames = {
  deleted: '.deleted',
  reset: '.reset',
  backup: '.bak',
  corrupt: '.corrupt',
  checkpoint: 'checkpoint',
  trajectory: 'trajectory',
  'trajectory-pointer': 'trajectory pointer',
  stream: 'stream',
  'index-backup': 'backup of an index',
} as const satisfies Partial<Record<FileKind, string>>

const temporaryKinds: ReadonlySet<FileKind> = new Set(['temporary', 'index-temporary'])

/** What stands in the sessions directories and is neither index nor transcript. */
export function findLeftovers(seen: Seen): Finding[] {
  return [
    ...findOld(seen),
    ...findTemporaries(seen),
    ...findOverBudget(seen),
    ...findOdd(seen),
    ...findLinked(seen),
    ...findLegacy(seen),
    ...findArchive(seen),
  ]
}

/** What is past its time by the home's own rules. */
export function leftoversOf({ facts, files }: Seen): Placed[] {
  const { agents, home, nowMs } = facts
  if (home.generation === 'sqlite') return [] // the gateway's own archives
  const isReceipt = receiptsOf(facts)
  const kept = new Set(agents.flatMap((agent) => backupsKept(agent, home.policy.indexBackupsKept)))
  return files.filter((placed) => {
    const { kind, mtimeMs } = placed.file
    if (!(kind in leftoverNames) || nowMs - mtimeMs <= home.policy.leftoverMs || isReceipt(placed)) return false
    return kind !== 'index-backup' || !kept.has(placed.path)
  })
}

/** What a writer made and did not live to rename. */
export function temporariesOf({ facts: { home, nowMs }, files }: Seen): Placed[] {
  return files.filter(({ file }) => {
    return temporaryKinds.has(file.kind) && nowMs - file.mtimeMs > home.policy.temporaryMs
  })
}

function backupsKept({ files, sessionsDir }: AgentFacts, keep: number): string[] {
  return files
    .filter(({ kind }) => kind === 'index-backup')
    .sort((a, b) => b.mtimeMs - a.mtimeMs)
    .slice(0, keep)
    .map(({ name }) => `${sessionsDir}/${name}`)
}

function findOld(seen: Seen): Finding[] {
  const items = leftoversOf(seen).sort((a, b) => b.file.bytes - a.file.bytes)
  const bytes = sumOf(items, ({ file }) => file.bytes)
  const kinds = Object.entries(leftoverNames).flatMap(([kind, name]) => {
    const some = items.filter(({ file }) => file.kind === kind)
    const size = formatSize(sumOf(some, ({ file }) => file.bytes))
    return some.length === 0 ? [] : [`${some.length.toLocaleString('en-US')} ${name} (${size})`]
  })
  return finding(seen, 'LEFTOVERS', {
    evidence: `${formatCount(items.length, 'file')}, ${formatSize(bytes)}: ${kinds.join(', ')}.`,
    items,
    bytes,
    example: ({ agent, file, path }) => {
      return { agent: agent.id, path, says: `${formatSize(file.bytes)}, ${agoOf(file.mtimeMs, seen.facts.nowMs)}` }
    },
  })
}

function findTemporaries(seen: Seen): Finding[] {
  const items = temporariesOf(seen).sort((a, b) => b.file.bytes - a.file.bytes)
  const bytes = sumOf(items, ({ file }) => file.bytes)
  return finding(seen, 'TEMPORARIES', {
    evidence: `${formatCount(items.length, 'file')}, ${formatSize(bytes)}.`,
    items,
    bytes,
    example: ({ agent, file, path }) => {
      return { agent: agent.id, path, says: `${formatSize(file.bytes)}, ${agoOf(file.mtimeMs, seen.facts.nowMs)}` }
    },
  })
}

function findOverBudget(seen: Seen): Finding[] {
  const budget = seen.facts.home.policy.diskBudget
  if (budget === null) return []
  const items = seen.facts.agents
    .map((agent) => ({ agent, bytes: sumOf(agent.files, ({ bytes }) => bytes) }))
    .filter(({ bytes }) => bytes > budget.maxBytes)
    .sort((a, b) => b.bytes - a.bytes)
  return finding(seen, 'DISK_BUDGET', {
    evidence: `${listOf(items.map(({ agent, bytes }) => `agent ${agent.id} has ${formatSize(bytes)}`))}; the budget is ${formatSize(budget.maxBytes)}.`,
    items,
    bytes: sumOf(items, ({ bytes }) => bytes),
    example: ({ agent, bytes }) => ({ agent: agent.id, path: agent.sessionsDir, says: formatSize(bytes) }),
  })
}

function findOdd(seen: Seen): Finding[] {
  const items = seen.facts.agents.flatMap((agent) => agent.odd.filter(isOdd).map((odd) => ({ agent, odd })))
  return finding(seen, 'ODD_FILES', {
    evidence: `${formatCount(items.length, 'name')}.`,
    items,
    example: ({ agent, odd }) => ({ agent: agent.id, path: `${agent.sessionsDir}/${odd.name}`, says: `a ${odd.what}` }),
  })
}

/** Directories are a gateway's own, or somebody's; only one with the name of a file is in its way. INDEX_UNREADABLE tells of an index. */
function isOdd({ name, what }: OddFile): boolean {
  const { kind } = kindOfName(name)
  if (kind === 'index') return false
  return what !== 'directory' || (kind !== 'unknown' && kind !== 'prompt' && kind !== 'migration')
}

function findLinked(seen: Seen): Finding[] {
  const items = seen.files.filter(({ file }) => {
    return file.links > 1 && (file.kind === 'transcript' || file.kind === 'index')
  })
  return finding(seen, 'FILES_LINKED', {
    evidence: `${formatCount(items.length, 'file')}.`,
    items,
    example: ({ agent, file, path }) => ({ agent: agent.id, path, says: `${file.links} names` }),
  })
}

function findLegacy(seen: Seen): Finding[] {
  const { facts, around } = seen
  const unmoved = facts.home.generation === 'mixed' ? facts.agents.filter((agent) => hasBoth(agent, facts)) : []
  const legacy = around.legacy.filter(({ files }) => files > 0)
  return [
    ...finding(seen, 'MIGRATION_UNFINISHED', {
      evidence: `${formatCount(unmoved.length, 'agent')} with a database and with sessions in files.`,
      items: unmoved,
      example: (agent) => ({ agent: agent.id, path: agent.sessionsDir }),
    }),
    ...finding(seen, 'LEGACY_ROOT', {
      evidence: `${formatCount(
        sumOf(legacy, ({ files }) => files),
        'file',
      )}, ${formatSize(sumOf(legacy, ({ bytes }) => bytes))}.`,
      items: legacy,
      bytes: sumOf(legacy, ({ bytes }) => bytes),
      example: ({ path, files }) => ({ path, says: formatCount(files, 'file') }),
    }),
  ]
}

function hasBoth({ id, files, sessionsDir }: AgentFacts, facts: HomeFacts): boolean {
  if (facts.home.agents.every((agent) => agent.id !== id || agent.databasePath === null)) return false
  const isReceipt = receiptsOf(facts)
  return files.some(({ kind, name }) => {
    return (kind === 'index' || kind === 'transcript') && !isReceipt({ path: `${sessionsDir}/${name}` })
  })
}

function findArchive(seen: Seen): Finding[] {
  const { archives } = seen.around
  if (typeof archives.state === 'object') {
    return finding(seen, 'ARCHIVE_UNREADABLE', {
      evidence: `${archives.state.unreadable}.`,
      items: [archives],
      example: ({ path }) => ({ path }),
    })
  }
  return finding(seen, 'ARCHIVE_UNFINISHED', {
    evidence: `${formatCount(archives.unfinished.length, 'run')} of ${archives.runs.toLocaleString('en-US')}.`,
    items: archives.unfinished,
    example: (name) => ({ path: `${archives.path}/${name}` }),
  })
}
