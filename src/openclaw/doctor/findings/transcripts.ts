import { formatCount, formatSize } from '../../../model/units.ts'
import type { AgentFacts, DamageCount, FileFacts, HomeFacts, SurveyedTranscript } from '../../survey/facts.ts'
import type { DamageKind } from '../../transcripts/facts.ts'
import type { FindingCode } from '../catalog.ts'
import { agoOf, type Finding, finding, type Seen, sumOf } from '../finding.ts'

/** About four bytes make a token: this is a million of them, more than models are shown. Unit: bytes. */
const largeBytes = 4 * 1024 ** 2

const codeOfDamage: Record<DamageKind, FindingCode> = {
  'torn-tail': 'TRANSCRIPT_TORN',
  'unended-line': 'TRANSCRIPT_UNENDED',
  'header-missing': 'TRANSCRIPT_HEADER',
  'header-broken': 'TRANSCRIPT_HEADER',
  'header-old': 'TRANSCRIPT_OLD',
  'invalid-line': 'TRANSCRIPT_INVALID',
  'welded-line': 'TRANSCRIPT_WELDED',
  'id-missing': 'TRANSCRIPT_NO_ID',
  'duplicate-line': 'TRANSCRIPT_DUPLICATE_LINE',
  'duplicate-reply': 'TRANSCRIPT_DUPLICATE_REPLY',
  'duplicate-id': 'TRANSCRIPT_DUPLICATE_ID',
  'broken-parent': 'TRANSCRIPT_CHAIN',
  'lone-surrogate': 'TRANSCRIPT_SURROGATE',
  'nul-bytes': 'TRANSCRIPT_ZEROS',
  'not-utf8': 'TRANSCRIPT_ENCODING',
  'oversized-line': 'TRANSCRIPT_LONG_LINE',
}

interface Damaged {
  path: string
  key: string | null
  agent: AgentFacts
  damage: DamageCount
}

export function findTranscripts(seen: Seen): Finding[] {
  const { facts } = seen
  const damaged = facts.agents.flatMap((agent) => damagedOf(agent, facts))
  const codes = [...new Set(Object.values(codeOfDamage))]
  return [...codes.flatMap((code) => findDamage(seen, code, damaged)), ...findUnread(seen), ...findLarge(seen)]
}

function damagedOf(agent: AgentFacts, facts: HomeFacts): Damaged[] {
  const keys = keysOf(agent)
  const files = new Map(agent.files.map((file) => [file.name, file]))
  return [...agent.transcripts].flatMap(([name, transcript]) => {
    if (transcript.state !== 'read') return []
    const file = files.get(name)
    const isWritten = file !== undefined && mayBeWritten(file, agent, facts)
    return transcript.damage
      .filter(({ kind }) => !(isWritten && unfinished.has(kind)))
      .map((damage) => ({ path: `${agent.sessionsDir}/${name}`, key: keys.get(name) ?? null, agent, damage }))
  })
}

/** How a file looks while a line is being written to it. */
const unfinished = new Set<DamageKind>(['torn-tail', 'unended-line', 'header-missing', 'header-broken'])

function mayBeWritten(
  { name, mtimeMs }: FileFacts,
  { locks }: AgentFacts,
  { gateway, home, nowMs }: HomeFacts,
): boolean {
  const isHeld = locks.some(({ path, verdict }) => {
    return path.endsWith(`/${name}.lock`) && (verdict === 'live' || verdict === 'unknown')
  })
  return isHeld || (gateway.state !== 'stopped' && nowMs - mtimeMs < home.policy.recentMs)
}

function findDamage(seen: Seen, code: FindingCode, damaged: Damaged[]): Finding[] {
  const items = damaged.filter(({ damage }) => codeOfDamage[damage.kind] === code)
  items.sort((a, b) => b.damage.lines - a.damage.lines)
  const lines = sumOf(items, ({ damage }) => damage.lines)
  return finding(seen, code, {
    evidence: `${formatCount(items.length, 'transcript')}, ${formatCount(lines, 'line')}.`,
    items,
    example: ({ path, key, agent, damage }) => ({
      agent: agent.id,
      key,
      path,
      says: linesOf(damage),
    }),
  })
}

function linesOf({ firstLine, lines }: DamageCount): string {
  if (firstLine === null) return formatCount(lines, 'line')
  const more = lines > 1 ? ` and ${(lines - 1).toLocaleString('en-US')} more` : ''
  return `line ${firstLine.toLocaleString('en-US')}${more}`
}

function findUnread(seen: Seen): Finding[] {
  const items = seen.facts.agents.flatMap((agent) => {
    const keys = keysOf(agent)
    return [...agent.transcripts].flatMap(([name, transcript]) => {
      const because = becauseOf(transcript)
      return because === null ? [] : [{ agent, name, key: keys.get(name) ?? null, because }]
    })
  })
  return finding(seen, 'TRANSCRIPT_UNREADABLE', {
    evidence: `${formatCount(items.length, 'transcript')}.`,
    items,
    example: ({ agent, name, key, because }) => {
      return { agent: agent.id, key, path: `${agent.sessionsDir}/${name}`, says: because }
    },
  })
}

function becauseOf(transcript: SurveyedTranscript): string | null {
  return transcript.state === 'unreadable' ? transcript.because : null
}

function findLarge(seen: Seen): Finding[] {
  const items = seen.files
    .filter(({ file }) => file.kind === 'transcript' && file.bytes > largeBytes)
    .sort((a, b) => b.file.bytes - a.file.bytes)
  const largest = formatSize(items[0]?.file.bytes ?? 0)
  return finding(seen, 'TRANSCRIPT_LARGE', {
    evidence: `${formatCount(items.length, 'transcript')} over ${formatSize(largeBytes)}, the largest ${largest}.`,
    items,
    bytes: sumOf(items, ({ file }) => file.bytes),
    example: ({ agent, file, path }) => ({
      agent: agent.id,
      key: keysOf(agent).get(file.name) ?? null,
      path,
      says: `${formatSize(file.bytes)}, written ${agoOf(file.mtimeMs, seen.facts.nowMs)}`,
    }),
  })
}

/** Which session a transcript belongs to, by its name. */
function keysOf({ index }: AgentFacts): Map<string | null, string> {
  return new Map(index.state === 'read' ? index.entries.map(({ transcript, key }) => [transcript, key]) : [])
}
