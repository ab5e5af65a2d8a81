import type { Place } from '../../database/schema.ts'
import type { SessionNode, SessionWindow } from '../../database/sessions.ts'
import { type DatabaseThread, slices } from '../../database/thread.ts'
import type { SourceLine } from '../lines/line.ts'
import { parsedEntry, textIn, timeIn } from './entry.ts'
import type { AgentSource, LeftOut, SessionSource, TranscriptSource } from './source.ts'

/** Longer rows are told and not brought over. */
const rowBytesMax = 16 * 1024 ** 2

/**
 * All conversations of an agent's database. Each window of a session is a transcript; the last is its current one.
 * @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE, HOME_GENERATION, HOME_BUSY
 */
export async function readDatabase(thread: DatabaseThread, place: Place): Promise<AgentSource> {
  const sessions: SessionSource[] = []
  for await (const { items } of slices('', (after) => thread.ask(place, 'readSessions', { after }))) {
    for (const node of items) sessions.push(await sessionOf(thread, place, node))
  }
  const leftOut: LeftOut[] = []
  for await (const { items } of slices('', (after) => thread.ask(place, 'readArchives', { after }))) {
    for (const { name, key, reason } of items) {
      leftOut.push({ what: 'archive', name, because: `a transcript of ${key} that the gateway took out (${reason})` })
    }
  }
  return { agent: place.agentId, sessions, leftOut }
}

async function sessionOf(thread: DatabaseThread, place: Place, node: SessionNode): Promise<SessionSource> {
  const windows = await thread.ask(place, 'readWindows', { key: node.key })
  const isCurrent = ({ sessionId }: SessionWindow) => sessionId === node.sessionId
  const ordered = [...windows.filter((window) => !isCurrent(window)), ...windows.filter(isCurrent)]
  const cold = ordered.filter((window) => window.cold !== null)
  const entry = parsedEntry(node.entry)
  return {
    ...{ agent: place.agentId, key: node.key, entry: node.entry, pinned: node.pinnedAtMs !== null },
    title: textIn(entry, 'label') ?? textIn(entry, 'displayName'),
    usedAtMs: node.usedAtMs ?? timeIn(entry, 'lastInteractionAt') ?? node.updatedAtMs,
    archivedAtMs: node.archivedAtMs,
    transcripts: ordered
      .filter((window) => window.cold === null && (window.rows > 0 || isCurrent(window)))
      .map((window) => transcriptOf(thread, place, window)),
    missing: [],
    unread: [
      ...cold.map(({ cold: archive }) => `the gateway has taken its rows out to ${archive?.name}`),
      ...(node.entry === null ? [`its entry has ${node.entryBytes} bytes`] : []),
    ],
  }
}

function transcriptOf(thread: DatabaseThread, place: Place, window: SessionWindow): TranscriptSource {
  const { sessionId, createdAtMs } = window
  let last: number | null = null
  const lines = async function* (): AsyncGenerator<SourceLine> {
    const ask = (after: number) => thread.ask(place, 'readRows', { sessionId, after, rowBytesMax })
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
    last ??= seen
  }
  return { name: sessionId, sessionId, file: null, startedAtMs: createdAtMs, lines }
}
