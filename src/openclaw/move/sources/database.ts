import { join } from 'node:path'
import { packedBytesMax } from '../../database/packed.ts'
import type { Place } from '../../database/schema.ts'
import type { ColdArchive, SessionNode, SessionWindow, TranscriptArchive } from '../../database/sessions.ts'
import { type DatabaseThread, slices } from '../../database/thread.ts'
import { changed, unreadable } from '../../files/failure.ts'
import { rootOf } from '../../files/place.ts'
import { readSmall } from '../../files/text.ts'
import type { AgentHome, Home } from '../../home/home.ts'
import { lineBytesMax } from '../../transcripts/scan.ts'
import type { SourceLine } from '../lines/line.ts'
import { parsedEntry, textIn, timeIn } from './entry.ts'
import { archivedLines, coldLines } from './packed.ts'
import { type AgentSource, deletedBecause, type LeftOut, type SessionSource, type TranscriptSource } from './source.ts'

/** A session and its windows, the current one last. */
interface Found {
  node: SessionNode
  windows: SessionWindow[]
}

/**
 * All conversations of an agent's database. Each window of a session is a transcript, also one in cold storage; the last is its
 * current one, and what was taken out at a reset comes before them.
 * @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE, HOME_GENERATION, HOME_BUSY
 */
export async function readDatabase(
  thread: DatabaseThread,
  home: Home,
  agent: AgentHome,
  options: { deleted: boolean },
): Promise<AgentSource> {
  const reading = new Reading(thread, home, agent)
  const found = await reading.sessions()
  const { archives, leftOut } = await reading.archives(options)
  const taken = new Set(found.flatMap(({ windows }) => windows.map(({ sessionId }) => sessionId)))
  const earlier = Map.groupBy(archives, ({ key }) => key)
  const transcripts = (key: string) => (earlier.get(key) ?? []).map((archive) => reading.archived(archive, taken))
  const sessions = found.map(({ node, windows }): SessionSource => {
    const own = windows.filter((window) => window.rows > 0 || window.cold !== null || window === windows.at(-1))
    return {
      ...ofNode(agent, node),
      transcripts: [...transcripts(node.key), ...own.map((each) => reading.window(each))],
    }
  })
  const keys = new Set(found.map(({ node }) => node.key))
  const ended = [...earlier].filter(([key]) => !keys.has(key))
  return {
    agent: agent.id,
    sessions: [
      ...sessions,
      ...ended.map(([key, those]) => ({ ...ofEnded(agent, key, those), transcripts: transcripts(key) })),
    ],
    leftOut,
  }
}

class Reading {
  readonly #thread: DatabaseThread
  readonly #place: Place
  readonly #home: Home
  readonly #agent: AgentHome

  constructor(thread: DatabaseThread, home: Home, agent: AgentHome) {
    this.#thread = thread
    this.#home = home
    this.#agent = agent
    this.#place = { path: agent.databasePath ?? '', agentId: agent.id }
  }

  async sessions(): Promise<Found[]> {
    const found: Found[] = []
    for await (const { items } of slices('', (after) => this.#thread.ask(this.#place, 'readSessions', { after }))) {
      for (const node of items) {
        const windows = await this.#thread.ask(this.#place, 'readWindows', { key: node.key })
        const isCurrent = ({ sessionId }: SessionWindow) => sessionId === node.sessionId
        const ordered = [...windows.filter((window) => !isCurrent(window)), ...windows.filter(isCurrent)]
        found.push({ node, windows: ordered })
      }
    }
    return found
  }

  /** Oldest first. */
  async archives({ deleted }: { deleted: boolean }): Promise<{ archives: TranscriptArchive[]; leftOut: LeftOut[] }> {
    const archives: TranscriptArchive[] = []
    const leftOut: LeftOut[] = []
    for await (const { items } of slices('', (after) => this.#thread.ask(this.#place, 'readArchives', { after }))) {
      for (const archive of items) {
        const { name, bytes } = archive
        if (archive.reason === 'deleted' && !deleted) leftOut.push({ what: 'deleted', name, because: deletedBecause })
        else if (bytes > packedBytesMax) leftOut.push({ what: 'archive', name, because: `it has ${bytes} bytes` })
        else archives.push(archive)
      }
    }
    return { archives: archives.sort((one, other) => one.createdAtMs - other.createdAtMs), leftOut }
  }

  window(window: SessionWindow): TranscriptSource {
    const { sessionId, createdAtMs, cold } = window
    const lines = cold === null ? this.#rows(window) : () => packedLines(() => this.#cold(cold, sessionId))
    return { name: sessionId, sessionId, file: null, startedAtMs: createdAtMs, lines }
  }

  /** Under its session's id, unless that is there already. */
  archived(archive: TranscriptArchive, taken: Set<string>): TranscriptSource {
    const { sessionId, name } = archive
    const own = taken.has(sessionId) ? name : sessionId
    taken.add(sessionId)
    const read = async () => await archivedLines(await this.#packed('archive', name), archive)
    return { name: own, sessionId, file: null, startedAtMs: null, lines: () => packedLines(read) }
  }

  #rows({ sessionId, rows: expected }: SessionWindow): () => AsyncGenerator<SourceLine> {
    let last: number | null = null
    const ask = (after: number) =>
      this.#thread.ask(this.#place, 'readRows', { sessionId, after, rowBytesMax: lineBytesMax })
    return async function* () {
      let number = 0
      let seen = -1
      for await (const { rows } of slices<number, Awaited<ReturnType<typeof ask>>>(-1, ask)) {
        for (const { seq, json, bytes } of rows) {
          if (last !== null && seq > last) return
          number += 1
          seen = seq
          yield { number, bytes, data: json === null ? null : Buffer.from(json), ended: true }
        }
      }
      // a gateway puts them away where nobody uses them
      if (number < expected) throw changed(`session ${sessionId}`, `it had ${expected} rows and has ${number}`)
      last ??= seen
    }
  }

  async #cold(archive: ColdArchive, sessionId: string): Promise<Buffer[]> {
    const { storage, name } = archive
    const bytes = storage === 'sqlite' ? await this.#packed('cold', name) : await this.#file(name)
    return await coldLines(bytes, archive, sessionId)
  }

  async #packed(of: 'cold' | 'archive', name: string): Promise<Uint8Array> {
    const bytes = await this.#thread.ask(this.#place, 'readPacked', { of, name })
    if (bytes === null) throw changed(name, 'it is not in the database any more')
    return bytes
  }

  async #file(name: string): Promise<Uint8Array> {
    const path = join(this.#agent.sessionsDir, 'cold', name)
    const file = await readSmall(rootOf(this.#home, this.#agent.sessionsDir), path, packedBytesMax)
    if (file === null) throw unreadable(path, 'it is not there, and holds all that was said in its session')
    return file.data
  }
}

async function* packedLines(read: () => Promise<Buffer[]>): AsyncGenerator<SourceLine> {
  for (const [at, line] of (await read()).entries()) {
    const bytes = line.length
    yield { number: at + 1, bytes, data: bytes > lineBytesMax ? null : line, ended: true }
  }
}

function ofNode({ id }: AgentHome, node: SessionNode): Omit<SessionSource, 'transcripts'> {
  const entry = parsedEntry(node.entry)
  return {
    ...{ agent: id, key: node.key, entry: node.entry, pinned: node.pinnedAtMs !== null, missing: [] },
    title: textIn(entry, 'label') ?? textIn(entry, 'displayName'),
    usedAtMs: node.usedAtMs ?? timeIn(entry, 'lastInteractionAt') ?? node.updatedAtMs,
    archivedAtMs: node.archivedAtMs,
    isEnded: false,
    unread: node.entry === null ? [`its entry has ${node.entryBytes} bytes`] : [],
  }
}

/** A session of which only that is left what was taken out. */
function ofEnded({ id }: AgentHome, key: string, archives: TranscriptArchive[]): Omit<SessionSource, 'transcripts'> {
  const atMs = archives.at(-1)?.createdAtMs ?? null
  return {
    ...{ agent: id, key, entry: null, title: null, usedAtMs: atMs, pinned: false, missing: [], unread: [] },
    archivedAtMs: atMs,
    isEnded: archives.at(-1)?.reason === 'reset',
  }
}
