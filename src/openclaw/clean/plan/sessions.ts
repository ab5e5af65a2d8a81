import { factsOfKey } from '../../home/keys.ts'
import type { FileKind } from '../../home/names.ts'
import type { EntryFacts } from '../../index/facts.ts'
import type { AgentFacts, FileFacts } from '../../survey/facts.ts'

/**
 * A session with everything that is its own: it goes as a whole or stays as a whole. Two keys of one session, or of one transcript, are
 * one of these.
 */
export interface Session {
  /** Within its agent. */
  id: number
  entries: EntryFacts[]
  /** Transcripts first: of its session, and of earlier parts that it continues; then what a gateway keeps beside them. */
  files: FileFacts[]
  /** A transcript of it is there. */
  hasTranscript: boolean
  /** Why its transcript is not a file in this directory; null: it is, or there is none. */
  elsewhere: string | null
  /** When it was last used, by its entries and by its transcripts; 0 where nothing tells. Unit: ms. */
  usedAtMs: number
  /** Made by a machine for one purpose. */
  isErrand: boolean
}

const companionKinds: ReadonlySet<FileKind> = new Set(['trajectory', 'trajectory-pointer', 'stream', 'checkpoint'])

/** `parents`: of a transcript that continues another one, by its name, the name of that. */
export function sessionsOf(agent: AgentFacts, parents: ReadonlyMap<string, string>): Session[] {
  if (agent.index.state !== 'read') return []
  const files = new Map(agent.files.map((file) => [file.name, file]))
  const odd = new Map(agent.odd.map(({ name, what }) => [name, what]))
  const byId = groupedById(agent.files)
  return groupsOf(agent.index.entries).map((entries, id) => {
    const named = entries.flatMap(({ transcript }) => transcript ?? [])
    const ids = new Set(entries.flatMap(({ sessionId }) => sessionId ?? []))
    const transcripts = new Map<string, FileFacts>()
    const companions = new Map<string, FileFacts>()
    for (const name of withParents(named, parents)) {
      const file = files.get(name)
      if (file === undefined) continue
      transcripts.set(name, file)
      if (file.sessionId !== null) ids.add(file.sessionId)
    }
    for (const file of [...ids].flatMap((each) => byId.get(each) ?? [])) {
      if (file.kind === 'transcript') transcripts.set(file.name, file)
      else companions.set(file.name, file)
    }
    const own = [...transcripts.values(), ...companions.values()]
    return {
      id,
      entries,
      files: own,
      hasTranscript: transcripts.size > 0,
      elsewhere: elsewhereOf(entries, odd),
      usedAtMs: Math.max(
        ...entries.map(({ usedAtMs }) => usedAtMs),
        ...[...transcripts.values()].map(({ mtimeMs }) => mtimeMs),
      ),
      isErrand: entries.every(({ key }) => factsOfKey(key).standing === 'errand'),
    }
  })
}

/** Entries that name one transcript, or one session, are one group; by way of a third one also. */
function groupsOf(entries: readonly EntryFacts[]): EntryFacts[][] {
  const leaders = entries.map((_, at) => at)
  const leaderOf = (at: number): number => {
    let top = at
    while (leaders[top] !== top) top = leaders[top] as number
    for (let each = at; each !== top; ) {
      const next = leaders[each] as number
      leaders[each] = top
      each = next
    }
    return top
  }
  const marked = new Map<string, number>()
  entries.forEach(({ transcript, sessionId }, at) => {
    for (const mark of [
      transcript === null ? null : `file ${transcript}`,
      sessionId === null ? null : `id ${sessionId}`,
    ]) {
      if (mark === null) continue
      const other = marked.get(mark)
      if (other === undefined) marked.set(mark, at)
      else leaders[leaderOf(at)] = leaderOf(other)
    }
  })
  const groups = new Map<number, EntryFacts[]>()
  entries.forEach((entry, at) => {
    const leader = leaderOf(at)
    const group = groups.get(leader)
    if (group === undefined) groups.set(leader, [entry])
    else group.push(entry)
  })
  return [...groups.values()]
}

function groupedById(files: readonly FileFacts[]): Map<string, FileFacts[]> {
  const groups = new Map<string, FileFacts[]>()
  for (const file of files) {
    if (file.sessionId === null || (file.kind !== 'transcript' && !companionKinds.has(file.kind))) continue
    const group = groups.get(file.sessionId)
    if (group === undefined) groups.set(file.sessionId, [file])
    else group.push(file)
  }
  return groups
}

function withParents(names: readonly string[], parents: ReadonlyMap<string, string>): Set<string> {
  const found = new Set<string>()
  for (const name of names) {
    for (let next: string | undefined = name; next !== undefined && !found.has(next); next = parents.get(next))
      found.add(next)
  }
  return found
}

function elsewhereOf(entries: readonly EntryFacts[], odd: ReadonlyMap<string, string>): string | null {
  const lost = entries.find(({ transcript, elsewhere }) => transcript === null && elsewhere !== null)
  if (lost !== undefined) return `its transcript lies elsewhere, in ${lost.elsewhere}`
  const what = entries.map(({ transcript }) => odd.get(transcript ?? '')).find((each) => each !== undefined)
  return what === undefined ? null : `its transcript is a ${what} and no file`
}
