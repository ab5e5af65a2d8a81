import { formatCount, formatSize } from '../../../model/units.ts'
import type { DatabaseFacts } from '../../database/facts/collect.ts'
import type { SurveyedDatabase } from '../../survey/around.ts'
import type { FindingCode } from '../catalog.ts'
import { type Finding, finding, listOf, type Seen, sumOf } from '../finding.ts'

/** A gateway brings its log in at 64 MB (`journal_size_limit`); four of them mean that something holds it. Unit: bytes. */
const logBytesMax = 256 * 1024 ** 2
/** Free pages that are most of a file which is worth the trouble. */
const freeShare = 0.5
const freeBytesMin = 32 * 1024 ** 2
/** Fields of entries that are this much of a database, and this large. */
const bloatShare = 0.25
const bloatBytesMin = 16 * 1024 ** 2
/** More than anybody says in one message. Unit: bytes. */
const rowBytesMax = 4 * 1024 ** 2

type Unread = Exclude<SurveyedDatabase, { state: 'read' }>

const unreadCodes: Record<Unread['state'], FindingCode> = {
  unreadable: 'DATABASE_UNREADABLE',
  damaged: 'DATABASE_DAMAGED',
  unknown: 'DATABASE_UNKNOWN',
  busy: 'DATABASE_BUSY',
}

export function findDatabases(seen: Seen): Finding[] {
  const read = seen.around.databases.flatMap((each) => (each.state === 'read' ? [each.facts] : []))
  return [...findUnread(seen, read), ...findSizes(seen, read), ...findContents(seen, read)]
}

function findUnread(seen: Seen, read: DatabaseFacts[]): Finding[] {
  const problems = read.flatMap(({ agentId, path, problems }): Unread[] => {
    return (problems ?? []).map((because) => ({ state: 'damaged', agentId, path, because }))
  })
  const unread = seen.around.databases.flatMap((each) => (each.state === 'read' ? [] : [each]))
  return Object.entries(unreadCodes).flatMap(([state, code]) => {
    const items = [...unread, ...problems].filter((each) => each.state === state)
    return finding(seen, code, {
      evidence: `${formatCount(new Set(items.map(({ path }) => path)).size, 'database')}.`,
      items,
      example: ({ agentId, path, because }) => ({ agent: agentId, path, says: because }),
    })
  })
}

function findSizes(seen: Seen, read: DatabaseFacts[]): Finding[] {
  const logs = read.filter(({ logBytes }) => logBytes >= logBytesMax)
  const free = read.filter(({ freeBytes, bytes }) => freeBytes > freeBytesMin && freeBytes > bytes * freeShare)
  return [
    ...finding(seen, 'DATABASE_WAL', {
      evidence: `${listOf(logs.map(({ logBytes }) => formatSize(logBytes)))}.`,
      items: logs,
      bytes: sumOf(logs, ({ logBytes }) => logBytes),
      example: ({ agentId, path, logBytes }) => ({ agent: agentId, path: `${path}-wal`, says: formatSize(logBytes) }),
    }),
    ...finding(seen, 'DATABASE_FREE', {
      evidence: `${listOf(free.map(({ freeBytes, bytes }) => `${formatSize(freeBytes)} of ${formatSize(bytes)} are free`))}.`,
      items: free,
      bytes: sumOf(free, ({ freeBytes }) => freeBytes),
      example: ({ agentId, path, freeBytes }) => ({ agent: agentId, path, says: `${formatSize(freeBytes)} free` }),
    }),
  ]
}

function findContents(seen: Seen, read: DatabaseFacts[]): Finding[] {
  const bloated = read.filter((facts) => {
    const bytes = entryBytes(facts)
    return bytes > bloatBytesMin && bytes > facts.bytes * bloatShare
  })
  const rows = read
    .flatMap(({ agentId, path, largestRows }) => largestRows.map((row) => ({ agentId, path, ...row })))
    .filter(({ bytes }) => bytes > rowBytesMax)
    .sort((a, b) => b.bytes - a.bytes)
  const stale = read.filter(({ staleCronRuns }) => (staleCronRuns?.sessions ?? 0) > 0)
  const runs = sumOf(stale, ({ staleCronRuns }) => staleCronRuns?.sessions ?? 0)
  return [
    ...finding(seen, 'DATABASE_BLOAT', {
      evidence: `${listOf(bloated.map(heavinessOf))}.`,
      items: bloated,
      bytes: sumOf(bloated, entryBytes),
      example: (facts) => ({ agent: facts.agentId, path: facts.path, says: heavinessOf(facts) }),
    }),
    ...finding(seen, 'DATABASE_LARGE_ROWS', {
      evidence: `${formatCount(rows.length, 'row')} over ${formatSize(rowBytesMax)} among the ten largest, the largest ${formatSize(rows[0]?.bytes ?? 0)}.`,
      items: rows,
      bytes: sumOf(rows, ({ bytes }) => bytes),
      example: ({ agentId, path, sessionId, seq, bytes }) => {
        return { agent: agentId, path, says: `session ${sessionId}, row ${seq}: ${formatSize(bytes)}` }
      },
    }),
    ...finding(seen, 'DATABASE_CRON_STALE', {
      evidence: `${formatCount(runs, 'run')} past the time that the home keeps them.`,
      items: stale,
      example: ({ agentId, path, staleCronRuns }) => {
        return { agent: agentId, path, says: formatCount(staleCronRuns?.rows ?? 0, 'row') }
      },
    }),
  ]
}

function entryBytes({ entryFields }: DatabaseFacts): number {
  return sumOf(entryFields, ({ bytes }) => bytes)
}

function heavinessOf(facts: DatabaseFacts): string {
  const [first] = facts.entryFields
  const share =
    first === undefined ? '' : `, most of it ${first.field} in ${formatCount(first.entries, 'entry', 'entries')}`
  return `entries take ${formatSize(entryBytes(facts))} of ${formatSize(facts.bytes)}${share}`
}
