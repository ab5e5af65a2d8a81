import { basename, join } from 'node:path'
import { HoldfastError } from '../../../model/errors.ts'
import { changed } from '../../files/failure.ts'
import { readLines } from '../../files/lines.ts'
import { type Listed, listDirectory } from '../../files/list.ts'
import { openInside } from '../../files/open.ts'
import { rootOf } from '../../files/place.ts'
import type { AgentHome, Home } from '../../home/home.ts'
import { type FileKind, kindOfName } from '../../home/names.ts'
import type { EntryFacts } from '../../index/facts.ts'
import { type IndexText, readIndexText } from '../../index/read.ts'
import { lineBytesMax } from '../../transcripts/scan.ts'
import type { SourceLine } from '../lines/line.ts'
import { bindFiles, type Indexed, type LooseFile } from './bind.ts'
import { parsedEntry, textIn, timeIn } from './entry.ts'
import { type AgentSource, deletedBecause, type LeftOut, type SessionSource, type TranscriptSource } from './source.ts'

export interface FilesOptions {
  nowMs: number
  /** Also transcripts that their users have deleted and that are still there. */
  deleted: boolean
}

/** Whose a transcript was at an earlier import, by its name; undefined where it was in none. */
export type KeyOfKnown = (agent: string, name: string) => string | undefined

interface NamedFile extends Omit<LooseFile, 'kind'> {
  kind: FileKind
}

interface IndexedEntry extends Indexed {
  text: string
  facts: EntryFacts
}

/**
 * All conversations of an agent that keeps files. What a reset has ended is an earlier transcript of the same session, where it is written
 * down somewhere whose it was; a transcript of which nobody says that is a session by itself.
 * @throws HoldfastError INDEX_UNREADABLE, HOME_UNREADABLE, HOME_UNSAFE
 */
export async function readFiles(
  home: Home,
  agent: AgentHome,
  options: FilesOptions,
  keyOfKnown: KeyOfKnown,
): Promise<AgentSource> {
  const root = rootOf(home, agent.sessionsDir)
  const { facts, text } = await readIndexText(agent, root, options.nowMs)
  if (facts.state === 'unreadable') {
    throw new HoldfastError('INDEX_UNREADABLE', { because: `${agent.indexPath}: ${facts.because}` })
  }
  const entries = facts.state === 'read' && text !== null ? indexedEntries(facts.entries, text) : []
  const listed = (await listDirectory(root, agent.sessionsDir)) ?? []
  const files = listed.filter(({ what }) => what === 'file').map((file) => named(file, basename(agent.indexPath)))
  const byTranscript = new Map(entries.toReversed().map((entry) => [entry.transcript, entry]))
  const loose = files.filter((file): file is LooseFile => !byTranscript.has(file.name) && isAsked(file, options))
  const trajectories = new Set(files.filter(({ kind }) => kind === 'trajectory').map(({ name }) => name))
  const stems = stemsOf(files)
  const known = new Map(
    loose.flatMap(({ name }) => {
      const key = keyOfKnown(agent.id, stems.get(name) ?? name)
      return key === undefined ? [] : [[name, key] as const]
    }),
  )
  const { bound, unbound } = await bindFiles(agent, root, entries, loose, trajectories, known)
  const there = new Map(files.map((file) => [file.name, file]))
  const open = ({ name, sessionId }: { name: string; sessionId: string | null }) =>
    transcriptOf(agent, root, { name, stem: stems.get(name) ?? name, sessionId: sessionId ?? name })
  const unknown = (key: string | null, those: LooseFile[]): SessionSource => ({
    ...{ agent: agent.id, key, entry: null, title: null, usedAtMs: those.at(-1)?.atMs ?? null, pinned: false },
    ...{
      archivedAtMs: key === null ? (those.at(-1)?.atMs ?? null) : null,
      isEnded: key !== null && those.at(-1)?.kind === 'reset',
      transcripts: those.map(open),
      missing: [],
      unread: [],
    },
  })
  const keys = new Set(entries.map(({ key }) => key))
  return {
    agent: agent.id,
    sessions: [
      ...entries.map((entry) => {
        const isOwn = byTranscript.get(entry.transcript) === entry
        const current = isOwn && there.has(entry.transcript ?? '') ? [currentOf(entry)] : []
        const earlier = bound.get(entry.key) ?? []
        return {
          ...ofEntry(agent, entry),
          transcripts: [...earlier, ...current].map(open),
          isEnded: current.length === 0,
          missing: missingOf(entry, isOwn, current.length > 0),
        }
      }),
      ...[...bound].filter(([key]) => !keys.has(key)).map(([key, those]) => unknown(key, those)),
      ...unbound.map((file) => unknown(null, [file])),
    ],
    leftOut: leftOut(files, new Set([...byTranscript.keys(), ...loose.map(({ name }) => name)])),
  }
}

/** Names of an agent's index and transcripts. @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE */
export async function conversationFiles(home: Home, agent: AgentHome): Promise<string[]> {
  const listed = (await listDirectory(rootOf(home, agent.sessionsDir), agent.sessionsDir)) ?? []
  const files = listed.filter(({ what }) => what === 'file').map((file) => named(file, basename(agent.indexPath)))
  return files.filter(({ kind }) => kind === 'index' || kind === 'transcript').map(({ name }) => name)
}

const currentOf = ({ transcript, sessionId }: IndexedEntry) => ({ name: transcript ?? '', sessionId })

function isAsked({ kind, name }: NamedFile, { deleted }: FilesOptions): boolean {
  if (isPacked(name)) return false
  return kind === 'transcript' || kind === 'reset' || (kind === 'deleted' && deleted)
}

function named({ name, identity }: Listed, indexName: string): NamedFile {
  const { kind, sessionId, atMs } = kindOfName(name, indexName)
  return { name, kind, sessionId, atMs: atMs ?? Number(identity.mtimeNs / 1_000_000n) }
}

/** As releases write them that keep sessions in a database. */
const isPacked = (name: string) => name.endsWith('.zst')

/** What stands before `.jsonl`, or the whole name where an earlier file has the same. */
function stemsOf(files: readonly NamedFile[]): Map<string, string> {
  const taken = new Set<string>()
  const isCurrent = ({ kind }: NamedFile) => Number(kind === 'transcript')
  const transcripts = files.filter(({ kind }) => kind === 'transcript' || kind === 'reset' || kind === 'deleted')
  const ordered = transcripts.toSorted((one, other) => isCurrent(one) - isCurrent(other) || one.atMs - other.atMs)
  return new Map(
    ordered.map(({ name }) => {
      const stem = name.slice(0, name.indexOf('.jsonl'))
      const isFree = !taken.has(stem)
      taken.add(stem)
      return [name, isFree ? stem : name]
    }),
  )
}

function indexedEntries(facts: readonly EntryFacts[], { bytes, parsed }: IndexText): IndexedEntry[] {
  // of a key that stands twice the last one counts, as for a gateway
  const values = new Map(parsed.members.map((member) => [member.key, member]))
  return facts.flatMap((each) => {
    const member = values.get(each.key)
    if (member === undefined) return []
    const text = bytes.toString('utf8', member.valueStart, member.valueEnd)
    return [
      {
        key: each.key,
        sessionId: each.sessionId,
        transcript: each.transcript,
        entry: parsedEntry(text),
        text,
        facts: each,
      },
    ]
  })
}

function ofEntry(
  agent: AgentHome,
  { key, text, entry, facts }: IndexedEntry,
): Omit<SessionSource, 'transcripts' | 'isEnded' | 'missing'> {
  return {
    ...{ agent: agent.id, key, entry: text, pinned: facts.pinned, unread: [] },
    title: textIn(entry, 'label') ?? textIn(entry, 'displayName'),
    usedAtMs: timeIn(entry, 'lastInteractionAt') ?? (facts.usedAtMs === 0 ? null : facts.usedAtMs),
    archivedAtMs: timeIn(entry, 'archivedAt'),
  }
}

function missingOf({ transcript, facts }: IndexedEntry, isOwn: boolean, isThere: boolean): string[] {
  if (facts.unsafe !== null) return [facts.unsafe]
  if (transcript === null)
    return [facts.elsewhere === null ? 'it names no transcript' : `its transcript is in ${facts.elsewhere}`]
  if (!isOwn) return [`its transcript ${transcript} is that of another session as well`]
  return isThere ? [] : [`its transcript ${transcript} is not there`]
}

/** `stem` stays the same when a reset renames the file. */
function transcriptOf(
  agent: AgentHome,
  root: string,
  { name, stem, sessionId }: { name: string; stem: string; sessionId: string },
): TranscriptSource {
  let bytes: number | null = null
  let ino: bigint | null = null
  const path = join(agent.sessionsDir, name)
  const lines = async function* (): AsyncGenerator<SourceLine> {
    using file = await openInside(root, path)
    if (file === null) throw changed(path, 'it is gone')
    bytes ??= file.bytes
    ino ??= file.identity.ino
    if (ino !== file.identity.ino || file.bytes < bytes) throw changed(path, 'it is another file now')
    for await (const line of readLines(file, { lineBytesMax })) {
      if (line.offset >= bytes) return
      const end = line.offset + line.bytes + (line.ended ? 1 : 0)
      if (end > bytes) throw changed(path, 'its last line was written on')
      yield line
    }
  }
  return { name: stem, sessionId, file: name, startedAtMs: null, lines }
}

const leftovers: Partial<Record<FileKind, string>> = {
  deleted: deletedBecause,
  checkpoint: 'a copy that a compaction has made; what it held is in its transcript',
  backup: 'a copy of a transcript',
  corrupt: 'set aside as unreadable; see `holdfast repair`',
  trajectory: 'a record of requests, and no conversation',
  stream: 'a record of requests, and no conversation',
}

function leftOut(files: readonly NamedFile[], taken: ReadonlySet<string | null>): LeftOut[] {
  return files.flatMap(({ name, kind }) => {
    const because = isPacked(name) ? 'compressed by a newer release than this home is of' : leftovers[kind]
    if (because === undefined || taken.has(name)) return []
    return [{ what: kind === 'deleted' ? ('deleted' as const) : ('leftover' as const), name, because }]
  })
}
