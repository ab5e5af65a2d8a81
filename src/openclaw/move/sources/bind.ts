import { join } from 'node:path'
import { readLines } from '../../files/lines.ts'
import { openInside } from '../../files/open.ts'
import type { AgentHome } from '../../home/home.ts'
import { bindingsOf } from '../../index/rebuild/collect.ts'
import type { TranscriptHeader } from '../../transcripts/facts.ts'
import { readLine } from '../../transcripts/rows/reading.ts'
import { type Fields, isFields } from '../rows/entry.ts'
import { textsIn, timeIn } from './entry.ts'

/** A transcript that no index entry names. */
export interface LooseFile {
  name: string
  kind: 'transcript' | 'reset' | 'deleted'
  /** What its name says; null where it says none. */
  sessionId: string | null
  /** When it was ended, where its name says so; else when it was written last. Unit: ms. */
  atMs: number
}

export interface Indexed {
  key: string
  sessionId: string | null
  transcript: string | null
  entry: Fields
}

export interface Bindings {
  /** By session key, those begun earliest first. */
  bound: Map<string, LooseFile[]>
  unbound: LooseFile[]
}

/** A reset archives the old transcript and begins the new one in the same moment. Unit: ms. */
const sameMomentMs = 1_000

/**
 * Whose conversations they were, by what gateways have written down: the id is that of an entry, or one of its earlier ones; a
 * transcript that goes on from this file; the logs of scheduled jobs, trajectories, answers of the tool that tells a session its
 * key; and, for what a reset has ended, the one session that began in that moment. `known` says whose it was at an earlier import.
 */
export async function bindFiles(
  agent: AgentHome,
  root: string,
  entries: readonly Indexed[],
  files: readonly LooseFile[],
  trajectories: ReadonlySet<string>,
  known: ReadonlyMap<string, string>,
): Promise<Bindings> {
  const keys = knownKeys(entries)
  for (const [name, key] of known) keys.byFile.set(name, key)
  for (const [name, key] of await forebears(agent, root, entries)) keys.byFile.set(name, key)
  const isKnown = (file: LooseFile) => keys.byFile.has(file.name) || keys.byId.has(file.sessionId ?? '')
  const others = files.filter((file) => !isKnown(file) && file.kind !== 'deleted')
  for (const { transcript, key } of await bindingsOf(agent, root, others, trajectories))
    keys.byFile.set(transcript, key)
  const bound = new Map<string, LooseFile[]>()
  const unbound: LooseFile[] = []
  for (const file of files.toSorted((one, other) => one.atMs - other.atMs)) {
    const key = keys.byFile.get(file.name) ?? keys.byId.get(file.sessionId ?? '') ?? begunAt(entries, files, file)
    if (key === null) unbound.push(file)
    else bound.set(key, [...(bound.get(key) ?? []), file])
  }
  for (const [key, those] of bound) if (those.length > 1) bound.set(key, await inOrder(agent, root, those))
  return { bound, unbound }
}

/** As they were begun. The file system's time is the second choice: a copy of a home may have another. */
async function inOrder(agent: AgentHome, root: string, files: readonly LooseFile[]): Promise<LooseFile[]> {
  const dated: { file: LooseFile; atMs: number }[] = []
  for (const file of files) dated.push({ file, atMs: (await headerOf(agent, root, file.name))?.atMs ?? file.atMs })
  return dated.sort((one, other) => one.atMs - other.atMs).map(({ file }) => file)
}

function knownKeys(entries: readonly Indexed[]): { byId: Map<string, string>; byFile: Map<string, string> } {
  const byId = new Map<string, string>()
  for (const { key, entry } of entries) for (const id of textsIn(entry, 'usageFamilySessionIds')) byId.set(id, key)
  for (const { key, sessionId } of entries) if (sessionId !== null) byId.set(sessionId, key)
  return { byId, byFile: new Map() }
}

/** A transcript that was forked off another names that in its header; so does what a compaction has begun. */
async function forebears(agent: AgentHome, root: string, entries: readonly Indexed[]): Promise<[string, string][]> {
  const found: [string, string][] = []
  for (const { key, transcript } of entries) {
    // only such a name is given to one that goes on from another
    if (transcript === null || !/^\d{4}-\d\d-\d\dT[\d-]+Z_/.test(transcript)) continue
    const parent = (await headerOf(agent, root, transcript))?.parentSession?.split(/[/\\]/).at(-1)
    if (parent !== undefined) found.push([parent, key])
  }
  return found
}

async function headerOf(agent: AgentHome, root: string, name: string): Promise<TranscriptHeader | null> {
  using file = await openInside(root, join(agent.sessionsDir, name))
  if (file === null) return null
  for await (const { data, ended } of readLines(file, { lineBytesMax: 64 * 1024 })) {
    const row = data === null ? null : (readLine(data, ended).parts[0]?.row ?? null)
    return row !== null && 'header' in row ? row.header : null
  }
  return null
}

function begunAt(entries: readonly Indexed[], files: readonly LooseFile[], file: LooseFile): string | null {
  if (file.kind !== 'reset') return null
  const inThatMoment = (atMs: number | null) => atMs !== null && Math.abs(atMs - file.atMs) <= sameMomentMs
  const begun = entries.filter(({ entry }) => isFields(entry) && inThatMoment(timeIn(entry, 'sessionStartedAt')))
  const ended = files.filter(({ kind, atMs }) => kind === 'reset' && inThatMoment(atMs))
  return begun.length === 1 && ended.length === 1 ? (begun[0]?.key ?? null) : null
}
