import { formatCount, formatSize } from '../../../model/units.ts'
import type { CleanStep } from '../../clean/steps.ts'
import { type FileKind, kindOfName } from '../../home/names.ts'
import { namedIn } from '../../home/receipts.ts'
import type { AgentFacts, HomeFacts, OddFile } from '../../survey/facts.ts'
import { type Example, type Finding, finding, listOf, type Seen, sumOf } from '../finding.ts'

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

/** Files that belong to no session and are past their time, the largest first. */
export function leftoversOf({ plan }: Seen): CleanStep[] {
  return plan.steps
    .filter(({ kind, act }) => kind === 'archive-leftover' && act.do === 'take' && act.session === null)
    .sort((a, b) => b.bytes - a.bytes)
}

/** What a writer made and did not live to rename. */
export function temporariesOf({ plan }: Seen): CleanStep[] {
  return plan.steps.filter(({ kind }) => kind === 'remove-temporary').sort((a, b) => b.bytes - a.bytes)
}

function findOld(seen: Seen): Finding[] {
  const items = leftoversOf(seen)
  const bytes = sumOf(items, (step) => step.bytes)
  const byKind = Map.groupBy(items, ({ path }) => kindOfName(path.slice(path.lastIndexOf('/') + 1)).kind)
  const kinds = Object.entries(leftoverNames).flatMap(([kind, name]) => {
    const some = byKind.get(kind as FileKind) ?? []
    const size = formatSize(sumOf(some, (step) => step.bytes))
    return some.length === 0 ? [] : [`${some.length.toLocaleString('en-US')} ${name} (${size})`]
  })
  return finding(seen, 'LEFTOVERS', {
    evidence: `${formatCount(items.length, 'file')}, ${formatSize(bytes)}: ${kinds.join(', ')}.`,
    items,
    bytes,
    example: stepExample,
  })
}

function findTemporaries(seen: Seen): Finding[] {
  const items = temporariesOf(seen)
  const bytes = sumOf(items, (step) => step.bytes)
  return finding(seen, 'TEMPORARIES', {
    evidence: `${formatCount(items.length, 'file')}, ${formatSize(bytes)}.`,
    items,
    bytes,
    example: stepExample,
  })
}

function stepExample({ agentId, path, bytes, because }: CleanStep): Partial<Example> {
  return { agent: agentId, path, says: `${formatSize(bytes)}, ${because}` }
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
  const isReceipt = namedIn(facts.home.receipts)
  return files.some(({ kind, name }) => {
    return (kind === 'index' || kind === 'transcript') && !isReceipt(`${sessionsDir}/${name}`)
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
