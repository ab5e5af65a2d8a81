import type { Session } from '../../../model/sessions.ts'
import type { Store } from '../../../store/port.ts'
import { keyToTheirs } from '../keys.ts'
import { parsedEntry } from '../sources/entry.ts'
import { readTranscript, type TranscriptFacts, uuidOf } from './transcript.ts'

/** One transcript and the file that it becomes; without a name it is none: it holds an index entry only. */
interface PlannedTranscript {
  number: number
  facts: TranscriptFacts
  sessionId: string
  name: string | null
}

export interface PlannedSession {
  session: Session
  agent: string
  /** As the gateway is to call it; null where no index is to name it. */
  key: string | null
  /** Oldest first; the last is the current one. */
  transcripts: PlannedTranscript[]
  /** Numbers that are not in the store any more: retention has them. */
  missing: number[]
  /** Number of the transcript with which its index entry was imported; null where there was none. */
  entryIn: number | null
}

/** What becomes of a session, by what stands in the store. */
export async function planSession(store: Store, session: Session): Promise<PlannedSession> {
  const transcripts: PlannedTranscript[] = []
  const missing: number[] = []
  for (let number = 1; number <= session.transcript; number += 1) {
    const facts = await readTranscript(store, session.key, number)
    if (facts === null) missing.push(number)
    else transcripts.push(placed(session, number, facts))
  }
  const openings = transcripts.flatMap(({ facts }) => facts.opening ?? [])
  const first = openings.at(-1)
  const hasOwn = transcripts.some(({ facts }) => facts.own > 0)
  const key = first === undefined ? keyToTheirs(session.key) : first.key
  return {
    session,
    agent: first?.agent ?? session.agentId,
    // what nobody's index knew, and somebody has talked in here since, is a session from now on
    key: key ?? (hasOwn ? keyToTheirs(session.key) : null),
    transcripts,
    // numbers before the first one are those of a session that was deleted, or of an earlier import
    missing: missing.filter((number) => number > (transcripts[0]?.number ?? 0)),
    entryIn: transcripts.findLast(({ facts }) => facts.opening?.hasEntry === true)?.number ?? null,
  }
}

function placed(session: Session, number: number, facts: TranscriptFacts): PlannedTranscript {
  const { opening, own, lines } = facts
  const isCurrent = number === session.transcript
  const made = uuidOf(`${session.key} ${number}`)
  const sessionId = opening === null || opening.sessionId === '' ? made : opening.sessionId
  const isEmpty = own + lines === 0 && opening !== null
  return { number, facts, sessionId, name: isEmpty ? null : nameOf(facts, sessionId, isCurrent) }
}

/** What a reset ended is named after the moment, as a gateway does it; what was archived before keeps its name. */
function nameOf({ opening, header }: TranscriptFacts, sessionId: string, isCurrent: boolean): string {
  const file = opening?.file ?? `${sessionId}.jsonl`
  const wasCurrent = opening === null || opening.file === null || opening.hasEntry
  if (isCurrent || !wasCurrent) return file
  const endedAtMs = header.transcript.endedAtMs ?? header.session.activeAtMs
  return `${file}.reset.${new Date(endedAtMs).toISOString().replace(/:/g, '-')}`
}

/** The entry that the index of the gateway is to have: as it was, with the place of its file, and what has happened since. */
export function entryOf(
  planned: PlannedSession,
  entry: string | null,
  fileOf: (name: string) => string,
): Record<string, unknown> | null {
  const { session, transcripts } = planned
  const current = transcripts.at(-1)
  if (planned.key === null || current === undefined) return null
  const before = parsedEntry(entry)
  const hasOwn = transcripts.some(({ facts }) => facts.own > 0)
  const file = current.name === null ? {} : { sessionFile: fileOf(current.name) }
  const isImported = transcripts.some(({ facts }) => facts.opening !== null)
  if (entry === null && isImported && !hasOwn) return null // its index did not have one either
  const wereFiles = transcripts.every(({ facts, name }) => name === null || (facts.opening?.file ?? null) !== null)
  const family = wereFiles && !hasOwn ? {} : familyOf(planned)
  if (entry !== null && !hasOwn) return { ...before, ...file, ...family }
  const since = { updatedAt: session.activeAtMs, lastInteractionAt: session.activeAtMs, ...file }
  const begun = current.facts.header.transcript.startedAtMs
  return {
    ...(entry === null && session.title !== null ? { displayName: session.title } : {}),
    ...before,
    sessionId: current.sessionId,
    ...since,
    ...(current.facts.opening === null ? { sessionStartedAt: begun } : {}),
    abortedLastRun: false,
    ...(before.status === undefined ? {} : { status: 'done' }),
    ...family,
  }
}

/** Files do not say by themselves whose they were before a reset. */
function familyOf({ key, transcripts }: PlannedSession): Record<string, unknown> {
  const files = transcripts.filter(({ name }) => name !== null)
  const ids = [...new Set(files.map(({ sessionId }) => sessionId))]
  return ids.length > 1 ? { usageFamilyKey: key, usageFamilySessionIds: ids } : {}
}
