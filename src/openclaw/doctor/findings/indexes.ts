import { formatCount, formatSize } from '../../../model/units.ts'
import { rotationOf } from '../../clean/plan/rotate.ts'
import type { FieldWeight, IndexFacts } from '../../index/facts.ts'
import { withoutPath } from '../../survey/because.ts'
import type { AgentFacts } from '../../survey/facts.ts'
import { type Finding, finding, listOf, type Seen, sumOf } from '../finding.ts'

/** Under this size nobody waits for an index, whatever it holds. Unit: bytes. */
const bloatBytesMin = 1024 ** 2
/** Fields that are this much of an index are what is wrong with it. */
const bloatShare = 0.5

type Read = Extract<IndexFacts, { state: 'read' }>

export function findIndexes(seen: Seen): Finding[] {
  return [...findUnreadable(seen), ...findHeavy(seen)]
}

function findUnreadable(seen: Seen): Finding[] {
  const agents = seen.facts.agents.filter(({ state }) => state === 'read')
  const over = agents.flatMap((agent) => {
    const files = agent.files.filter(({ kind }) => kind === 'transcript')
    return files.length > 0 && isEmpty(agent, seen) ? [{ agent, files }] : []
  })
  const overIds = new Set(over.map(({ agent }) => agent.id))
  const unreadable = agents.filter(({ id, index }) => index.state === 'unreadable' && !overIds.has(id))
  const transcripts = over.flatMap(({ files }) => files)
  const bytes = sumOf(transcripts, (file) => file.bytes)
  return [
    ...finding(seen, 'INDEX_EMPTY_OVER_TRANSCRIPTS', {
      evidence: `Nothing is indexed, and ${formatCount(transcripts.length, 'transcript')} (${formatSize(bytes)}) ${transcripts.length === 1 ? 'is' : 'are'} there.`,
      items: over,
      bytes,
      example: ({ agent, files }) => ({
        agent: agent.id,
        path: indexPath(agent, seen),
        says: `${emptiness(agent.index)}, over ${formatCount(files.length, 'transcript')}`,
      }),
    }),
    ...finding(seen, 'INDEX_UNREADABLE', {
      evidence: `${listOf(unreadable.map((agent) => becauseOf(agent, seen)))}.`,
      items: unreadable,
      example: (agent) => ({ agent: agent.id, path: indexPath(agent, seen), says: becauseOf(agent, seen) }),
    }),
  ]
}

/** Nothing in it, where something should be. In a home that keeps sessions in a database there need be no index. */
function isEmpty({ id, index }: AgentFacts, { facts }: Seen): boolean {
  if (index.state === 'absent')
    return facts.home.agents.every((agent) => agent.id !== id || agent.databasePath === null)
  if (index.state === 'read') return index.entries.length === 0
  return index.bytes === 0 && index.identity !== null // it was opened, and nothing is in it
}

function emptiness(index: IndexFacts): string {
  if (index.state === 'absent') return 'not there'
  return index.state === 'read' ? 'no entry in it' : '0 bytes'
}

function becauseOf(agent: AgentFacts, seen: Seen): string {
  const { index } = agent
  if (index.state !== 'unreadable') return ''
  const because = withoutPath(index.because, indexPath(agent, seen))
  return index.identity === null ? because : `${formatSize(index.bytes)}, ${because}`
}

function findHeavy(seen: Seen): Finding[] {
  const { indexRotateBytes, entriesMax } = seen.facts.home.policy
  const read = seen.facts.agents
    .flatMap((agent) => (agent.index.state === 'read' ? [{ agent, index: agent.index }] : []))
    .sort((a, b) => b.index.bytes - a.index.bytes)
  const large = read.filter(({ index }) => index.bytes > indexRotateBytes)
  const bloated = read.filter(({ index }) => index.bytes > bloatBytesMin && heaviest(index).length > 0)
  const shrinkable = bloated.some(({ index }) => rotationOf(index, seen.facts.home.policy) !== null)
  const crowded = read
    .filter(({ index }) => index.entries.length > entriesMax)
    .sort((a, b) => b.index.entries.length - a.index.entries.length)
  const doubled = read.filter(({ index }) => index.duplicates.length > 0)
  return [
    ...finding(seen, 'INDEX_DUPLICATES', {
      evidence: `${formatCount(
        sumOf(doubled, ({ index }) => index.duplicates.length),
        'key',
      )}.`,
      items: doubled.flatMap(({ agent, index }) => index.duplicates.map((key) => ({ agent, key }))),
      example: ({ agent, key }) => ({ agent: agent.id, key, path: indexPath(agent, seen) }),
    }),
    ...finding(seen, 'INDEX_LARGE', {
      evidence: `${listOf(large.map(({ index }) => formatSize(index.bytes)))}; the limit is ${formatSize(indexRotateBytes)}.`,
      items: large,
      bytes: sumOf(large, ({ index }) => index.bytes),
      example: ({ agent, index }) => ({
        agent: agent.id,
        path: indexPath(agent, seen),
        says: `${formatSize(index.bytes)} in ${formatCount(index.entries.length, 'entry', 'entries')}`,
      }),
    }),
    ...finding(seen, 'INDEX_BLOAT', {
      ...(shrinkable
        ? {}
        : { fix: 'Set `session.maintenance.rotateBytes` to "1mb", then `holdfast clean --mode enforce`.' }),
      evidence: `${listOf(bloated.map(({ index }) => heavinessOf(index)))}.`,
      items: bloated,
      bytes: sumOf(bloated, ({ index }) => sumOf(heaviest(index), ({ repeatedBytes }) => repeatedBytes)),
      example: ({ agent, index }) => ({ agent: agent.id, path: indexPath(agent, seen), says: heavinessOf(index) }),
    }),
    ...finding(seen, 'INDEX_CROWDED', {
      evidence: `${listOf(crowded.map(({ index }) => formatCount(index.entries.length, 'entry', 'entries')))}; the limit is ${entriesMax.toLocaleString('en-US')}.`,
      items: crowded,
      example: ({ agent, index }) => ({
        agent: agent.id,
        path: indexPath(agent, seen),
        says: formatCount(index.entries.length, 'entry', 'entries'),
      }),
    }),
  ]
}

/** The fewest fields that together are most of the index; none where no two of them are. */
function heaviest({ bytes, fields }: Read): FieldWeight[] {
  const [first, second] = fields.filter(({ entries }) => entries > 1)
  if (first === undefined) return []
  if (first.bytes > bytes * bloatShare) return [first]
  return second !== undefined && first.bytes + second.bytes > bytes * bloatShare ? [first, second] : []
}

/** `87 % of 42.0 MB is systemPromptReport, in 1,035 entries; 35.1 MB repeat what stands before` */
function heavinessOf(index: Read): string {
  const fields = heaviest(index)
  const share = Math.round((100 * sumOf(fields, ({ bytes }) => bytes)) / index.bytes)
  const repeated = sumOf(fields, ({ repeatedBytes }) => repeatedBytes)
  const names = fields.map(({ field }) => field).join(' and ')
  const entries = formatCount(Math.max(...fields.map((field) => field.entries)), 'entry', 'entries')
  const tail = repeated === 0 ? '' : `, and ${formatSize(repeated)} of it repeat what stands before`
  return `${share} % of ${formatSize(index.bytes)} is ${names} in ${entries}${tail}`
}

function indexPath({ id, sessionsDir }: AgentFacts, { facts }: Seen): string {
  return facts.home.agents.find((agent) => agent.id === id)?.indexPath ?? `${sessionsDir}/sessions.json`
}
