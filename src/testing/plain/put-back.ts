import type { ArchivedTranscript } from '../../model/archives.ts'
import type { Entry } from '../../model/entries.ts'
import { HoldfastError } from '../../model/errors.ts'
import { agentOf, kindOf } from '../../model/keys.ts'
import {
  damaged,
  type EntryRecord,
  type HeaderRecord,
  linesOf,
  noRecords,
  parseHeader,
  parseRecord,
  type TranscriptRecord,
} from '../../model/records.ts'
import type { SessionState, Summary } from '../../model/sessions.ts'
import type { PlainSession, PlainState, PlainTurn } from './state.ts'

export function putBack(
  state: PlainState,
  input: { id: number; part: number; text: string; last: boolean; atMs: number },
): void {
  const archived = state.archived.find(({ id }) => id === input.id)
  if (archived === undefined) throw new HoldfastError('ARCHIVE_NOT_FOUND')
  if (input.part === 0) state.returning.delete(archived.id)
  const stage = state.returning.get(archived.id) ?? { parts: 0, text: '' }
  if (stage.parts < input.part) throw new HoldfastError('ARCHIVE_CONFLICT')
  const lines = linesOf(input.text)
  const header = input.part === 0 ? parseHeader(lines[0] ?? '') : null
  if (header !== null) checkFree(state, archived, header)
  for (const line of lines.slice(header === null ? 0 : 1)) parseRecord(line)
  const text = stage.parts === input.part ? stage.text + input.text : stage.text
  if (input.last) {
    show(state, archived, text, input.atMs)
    state.returning.delete(archived.id)
    state.archived = state.archived.filter(({ id }) => id !== archived.id)
  } else {
    state.returning.set(archived.id, { parts: input.part + 1, text })
  }
}

function checkFree(state: PlainState, { sessionKey, transcript }: ArchivedTranscript, header: HeaderRecord): void {
  if (header.session.key !== sessionKey || header.transcript.number !== transcript) throw damaged('it is of another')
  const live = state.sessions.get(sessionKey)
  const taken = live?.transcripts[transcript - 1] !== undefined
  if (live !== undefined && (taken || transcript > live.facts.transcript)) throw new HoldfastError('ARCHIVE_CONFLICT')
}

function show(state: PlainState, archived: ArchivedTranscript, text: string, atMs: number): void {
  const [first, ...lines] = linesOf(text)
  const header = parseHeader(first ?? '')
  checkFree(state, archived, header)
  const records = lines.map(parseRecord)
  checkWhole(header, records)
  const entries = entriesOf(records)
  const turns = turnsOf(records, entries)
  checkIds(state, entries, turns)
  const number = header.transcript.number
  const session = state.sessions.get(archived.sessionKey) ?? makeAgain(state, archived, header, atMs)
  session.transcripts[number - 1] = entries
  session.startedMs[number] = header.transcript.startedAtMs
  if (header.transcript.endedAtMs !== null) session.startedMs[number + 1] ??= header.transcript.endedAtMs
  session.turnsGone -= turns.length
  for (const { id } of hiddenOf(records, entries)) state.hiddenIds.add(id)
  session.summaries = [...session.summaries, ...summariesOf(state, records, number)].toSorted(
    (one, other) => one.id - other.id,
  )
  state.turns = [...state.turns, ...turns].toSorted((one, other) => one.facts.position - other.facts.position)
  state.deliveries.push(...deliveriesOf(records, turns))
  if (header.numbers === 'foreign') giveNumbers(state, turns)
}

/** Of this store, and in the order in which they came. */
function giveNumbers(state: PlainState, turns: PlainTurn[]): void {
  for (const { facts } of turns) {
    state.positions += 1
    facts.position = state.positions
  }
  state.turns.sort((one, other) => one.facts.position - other.facts.position)
}

function checkWhole(header: HeaderRecord, records: TranscriptRecord[]): void {
  const counts: Record<string, number> = { ...noRecords }
  for (const { type } of records) if (type !== 'end') counts[type] = (counts[type] ?? 0) + 1
  const end = records.at(-1)
  const agrees = end?.type === 'end' && Object.keys(noRecords).every((name) => counts[name] === end[name as 'entry'])
  if (!agrees || counts.entry !== header.transcript.entries) throw damaged('it is not whole')
}

function checkIds(state: PlainState, entries: Entry[], turns: PlainTurn[]): void {
  const known = new Set(
    [...state.sessions.values()].flatMap(({ transcripts }) => transcripts.flat().map(({ id }) => id)),
  )
  const admitted = new Set(state.turns.flatMap(({ inbound }) => inbound.map(({ admission }) => admission)))
  const taken =
    entries.some(({ id }) => known.has(id)) ||
    turns.some(({ facts }) => state.turns.some((other) => other.facts.id === facts.id)) ||
    turns.some(({ inbound }) => inbound.some(({ admission }) => admitted.has(admission)))
  if (taken) throw new HoldfastError('ARCHIVE_CONFLICT')
}

/** The session with all that it had; it goes on in this transcript, unless a later number was given. */
function makeAgain(
  state: PlainState,
  { sessionKey: key }: ArchivedTranscript,
  { session, transcript }: HeaderRecord,
  atMs: number,
): PlainSession {
  const buried = state.buried.get(key)
  const lastNumber = Math.max(buried?.transcript ?? 0, session.transcript)
  const goesOn = transcript.current && lastNumber === transcript.number
  const number = goesOn ? transcript.number : lastNumber + 1
  const { title, meterRatio, createdAtMs, activeAtMs, archivedAtMs } = session
  const made: PlainSession = {
    facts: {
      ...{ key, agentId: agentOf(key), kind: kindOf(key), state: session.state as SessionState, title, pinned: false },
      ...{ transcript: number, fence: Math.max(session.fence, buried?.fence ?? 0), meterRatio },
      ...{ createdAtMs, activeAtMs, archivedAtMs },
    },
    transcripts: [],
    startedMs: [],
    summaries: [],
    turnsGone: session.turnsTotal,
    lease: null,
  }
  made.transcripts[number - 1] = []
  made.startedMs[number] = atMs
  state.sessions.set(key, made)
  return made
}

function entriesOf(records: TranscriptRecord[]): Entry[] {
  const found = records.filter((record): record is EntryRecord => record.type === 'entry')
  return found.map(({ seq, id, attempt, kind, tokens, atMs, body, more }, index) => ({
    ...{ seq, id, parentId: found[index - 1]?.id ?? null, turnId: (more?.turnId as string | undefined) ?? null },
    ...{ attempt, kind: kind as Entry['kind'], body: JSON.parse(body), tokens, atMs },
  }))
}

function turnsOf(records: TranscriptRecord[], entries: Entry[]): PlainTurn[] {
  return records.flatMap((record) => {
    if (record.type !== 'turn') return []
    const turn = JSON.parse(String(record.more?.plain)) as Omit<PlainTurn, 'asked'> & { asked: string[] }
    // the very entries, as they were before
    return [{ ...turn, asked: entries.filter(({ id }) => turn.asked.includes(id)) }]
  })
}

/** A turn tells by itself which of its entries are hidden. */
function hiddenOf(records: TranscriptRecord[], entries: Entry[]): Entry[] {
  const ranges = records.filter((record) => record.type === 'hidden')
  return entries.filter(
    ({ seq, turnId }) => turnId === null && ranges.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq),
  )
}

function summariesOf(state: PlainState, records: TranscriptRecord[], transcript: number): Summary[] {
  let before = 0
  return records.flatMap((record) => {
    if (record.type !== 'summary') return []
    const { type, more, ...summary } = record
    const baseId = summary.baseId === 0 ? before : summary.baseId
    if (summary.id === 0) state.ids += 1
    before = summary.id === 0 ? state.ids : summary.id
    return [{ ...summary, id: before, baseId, kind: summary.kind as Summary['kind'], transcript }]
  })
}

function deliveriesOf(records: TranscriptRecord[], turns: PlainTurn[]): PlainState['deliveries'] {
  return records.flatMap((record) => {
    if (record.type !== 'delivery') return []
    const turn = turns.find(({ facts }) => facts.position === record.turn)
    if (turn === undefined) throw damaged('a delivery has no turn')
    const { id, target, attempts, nextAtMs: nextAttemptAtMs, error } = record
    const status = record.status as PlainState['deliveries'][number]['status']
    const { id: turnId, sessionKey, outcome } = turn.facts
    return [{ id, turnId, sessionKey, target, status, attempts, outcome, nextAttemptAtMs, error }]
  })
}
