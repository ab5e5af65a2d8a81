import { type Placed, type Seen, sumOf } from './finding.ts'
import { leftoversOf, temporariesOf } from './findings/leftovers.ts'

/** Documented: other programs rely on it. Files are those of the sessions directories. */
export interface Totals {
  agents: number
  files: number
  bytes: number
  largest: { path: string; bytes: number } | null
  /** Leftovers and temporary files past their time, and what indexes repeat. */
  wastedBytes: number
  transcripts: { files: number; bytes: number }
  leftovers: { files: number; bytes: number }
  repeatedBytes: number
  /** Entries of all indexes that could be read. */
  entries: number
  indexBytes: number
  databaseBytes: number
  /** What Holdfast has put away. */
  archives: { runs: number; bytes: number }
}

export function totalsOf(seen: Seen): Totals {
  const { facts, around, files } = seen
  const transcripts = files.filter(({ file }) => file.kind === 'transcript')
  const leftovers = [...leftoversOf(seen), ...temporariesOf(seen)]
  const leftoverBytes = sumOf(leftovers, ({ bytes }) => bytes)
  const read = facts.agents.flatMap(({ index }) => (index.state === 'read' ? [index] : []))
  const repeatedBytes = sumOf(read, ({ fields }) => sumOf(fields, (field) => field.repeatedBytes))
  const bytesOf = (some: readonly { file: { bytes: number } }[]) => sumOf(some, ({ file }) => file.bytes)
  const largest = files.reduce<Placed | null>((most, each) => {
    return most !== null && most.file.bytes >= each.file.bytes ? most : each
  }, null)
  return {
    agents: facts.agents.length,
    files: files.length,
    bytes: bytesOf(files),
    largest: largest === null ? null : { path: largest.path, bytes: largest.file.bytes },
    wastedBytes: leftoverBytes + repeatedBytes,
    transcripts: { files: transcripts.length, bytes: bytesOf(transcripts) },
    leftovers: { files: leftovers.length, bytes: leftoverBytes },
    repeatedBytes,
    entries: sumOf(read, ({ entries }) => entries.length),
    indexBytes: sumOf(facts.agents, ({ index }) => (index.state === 'absent' ? 0 : index.bytes)),
    databaseBytes: sumOf(around.databases, (each) =>
      each.state === 'read' ? each.facts.bytes + each.facts.logBytes : 0,
    ),
    archives: { runs: around.archives.runs, bytes: around.archives.bytes },
  }
}
