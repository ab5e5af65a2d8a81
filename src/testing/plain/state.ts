import type { ArchivedTranscript } from '../../model/archives.ts'
import type { Entry, NewEntry } from '../../model/entries.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { Delivery, Lease } from '../../model/holders.ts'
import type { Job } from '../../model/jobs.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Message } from '../../model/messages.ts'
import type { Session, Summary } from '../../model/sessions.ts'
import type { Start } from '../../model/starts.ts'
import { type Inbound, isSettled, type Turn, type TurnRequest } from '../../model/turns.ts'
import { emptyLanes, type PlainLanes } from './lanes.ts'

/**
 * The port's promises in their plainest form: arrays, and every figure counted anew from them. Slow, forgetful at the
 * end of the process, and short enough to be seen to be right. Adapters are compared with it.
 */
export interface PlainState {
  sessions: Map<SessionKey, PlainSession>
  /** In the order of admission. */
  turns: PlainTurn[]
  deliveries: Delivery[]
  jobs: Map<string, PlainJob>
  lanes: PlainLanes
  /** Newest first. */
  starts: Start[]
  /** By which fence a turn was settled: only that holder's repeat is a repeat, also of a turn that has left and come back. */
  settledFences: Map<string, number>
  fencedWrites: number
  lastVerify: { atMs: number; ok: boolean } | null
  ids: number
  /** The position that was given last. */
  positions: number
  archived: ArchivedTranscript[]
  /** What came back of archives so far, by id. */
  returning: Map<number, { parts: number; text: string }>
  /** What stays of sessions that were taken out. */
  buried: Map<SessionKey, { fence: number; transcript: number }>
  clockMs: number | null
  /** Entries that came back hidden, and are of no turn that would say so. */
  hiddenIds: Set<string>
}

export interface PlainSession {
  facts: Omit<Session, 'head' | 'contextTokens' | 'turnsTotal' | 'queuedTurns' | 'running' | 'transcriptAtMs'>
  /** By number, from 1; the last is the current one. What was taken out is a hole. */
  transcripts: Entry[][]
  /** When each began, by number. */
  startedMs: number[]
  /** Turns that it counts and that were taken out. */
  turnsGone: number
  summaries: Summary[]
  lease: Lease | null
}

export interface PlainTurn {
  facts: Turn
  request: TurnRequest
  inbound: PlainInbound[]
  /** Who goes first in a session: lower before higher. */
  place: number
  /** It was interrupted and runs again. */
  resumed: boolean
  /** Admitted, or queued again. */
  queuedAtMs: number
  /** When it was found interrupted, the last time; null when it never was. */
  interruptedAtMs: number | null
  /** While it waits for more messages; null when it does not. */
  windowEndsMs: number | null
  /** Its own messages, in the transcript that its facts name; empty before they are there. */
  asked: Entry[]
  /** It ended while it waited, and the transcript does not say so yet. */
  unwritten: boolean
  /** It ended while it waited: the model is not shown it. */
  hidden: boolean
}

interface PlainInbound extends Inbound {
  /** The turn id that was given with it. */
  admission: string
  digest: string
  tokens: number[]
  interruptedTurnId: string | null
}

export interface PlainJob {
  facts: Omit<Job, 'lastStatus'>
  /** In the order in which they were made. */
  order: number
  /** The turn of each due time that was started. */
  runs: Map<number, string>
}

export function emptyState(): PlainState {
  return {
    ...{ sessions: new Map(), turns: [], deliveries: [], fencedWrites: 0, lastVerify: null, ids: 0, positions: 0 },
    ...{ starts: [], jobs: new Map(), lanes: emptyLanes(), settledFences: new Map() },
    ...{ archived: [], returning: new Map(), buried: new Map(), clockMs: null, hiddenIds: new Set() },
  }
}

export function sessionAt(state: PlainState, key: SessionKey): PlainSession {
  const found = state.sessions.get(key)
  if (found === undefined) throw new HoldfastError('SESSION_NOT_FOUND', { key })
  return found
}

export function turnAt(state: PlainState, turnId: string): PlainTurn {
  const found = state.turns.find(({ facts }) => facts.id === turnId)
  if (found === undefined) throw new HoldfastError('TURN_NOT_FOUND', { turnId })
  return found
}

export function unsettledTurnAt(state: PlainState, turnId: string): PlainTurn {
  const found = turnAt(state, turnId)
  if (isSettled(found.facts.status)) throw new HoldfastError('TURN_SETTLED', { turnId })
  return found
}

export const currentOf = (session: PlainSession): Entry[] => session.transcripts.at(-1) as Entry[]

/** Waiting turns of a session, the next first. */
export function waitingOf(state: PlainState, key: SessionKey): PlainTurn[] {
  return state.turns
    .filter(({ facts }) => facts.sessionKey === key && facts.status === 'queued')
    .toSorted((one, other) => one.place - other.place)
}

/** The summary that counts: the newest of the current transcript that was not undone. */
export function newestSummary(session: PlainSession): Summary | null {
  const counting = session.summaries.filter(
    (summary) => summary.transcript === session.facts.transcript && summary.undoneAtMs === null,
  )
  return counting.at(-1) ?? null
}

/** Entries after `seq` that the model may be shown. */
export function shownAfter(state: PlainState, session: PlainSession, seq: number): Entry[] {
  return currentOf(session).filter((entry) => entry.seq > seq && isShown(state, entry))
}

/** No event, nothing of a turn that the model refused or that ended while it waited, and no attempt that was made again. */
export function isShown(state: PlainState, entry: Entry): boolean {
  if (entry.kind === 'event' || state.hiddenIds.has(entry.id)) return false
  const turn = state.turns.find(({ facts }) => facts.id === entry.turnId)
  if (turn === undefined) return true
  if (turn.hidden || turn.facts.outcome?.code === 'MODEL_REJECTED') return false
  return entry.attempt === turn.facts.attempts || turn.asked.some(({ id }) => id === entry.id)
}

export const tokensOf = (entries: readonly Entry[]): number => entries.reduce((sum, { tokens }) => sum + tokens, 0)

export function viewOf(state: PlainState, session: PlainSession): Session {
  const turns = state.turns.filter(({ facts }) => facts.sessionKey === session.facts.key)
  const summary = newestSummary(session)
  const [first, second] = currentOf(session)
  const firstMessage = first?.kind === 'event' && first.body.code === 'SESSION_RESET' ? second : first
  return {
    ...session.facts,
    transcriptAtMs: firstMessage?.atMs ?? (session.startedMs[session.facts.transcript] as number),
    head: currentOf(session).length,
    contextTokens: (summary?.tokens ?? 0) + tokensOf(shownAfter(state, session, summary?.uptoSeq ?? 0)),
    turnsTotal: turns.length + session.turnsGone,
    queuedTurns: turns.filter(({ facts }) => facts.status === 'queued').length,
    running: session.lease !== null,
  }
}

export function write(session: PlainSession, entries: NewEntry[], turn: PlainTurn | null, atMs: number): void {
  const transcript = currentOf(session)
  for (const entry of entries) {
    transcript.push({
      ...entry,
      seq: transcript.length + 1,
      parentId: transcript.at(-1)?.id ?? null,
      turnId: turn?.facts.id ?? null,
      attempt: turn?.facts.attempts ?? 0,
      atMs,
    })
  }
}

export function writeEvent(
  state: PlainState,
  session: PlainSession,
  turn: PlainTurn | null,
  code: string,
  atMs: number,
) {
  state.ids += 1
  write(session, [{ id: `plain-${state.ids}`, kind: 'event', body: { code, text: code }, tokens: 0 }], turn, atMs)
}

function entriesFrom(state: PlainState, { messages, tokens }: { messages: Message[]; tokens: number[] }) {
  return messages.map((body, index): NewEntry => {
    state.ids += 1
    const kind = body.role === 'developer' ? 'system' : body.role
    return { id: `plain-${state.ids}`, kind, body, tokens: tokens[index] as number }
  })
}

/** A turn's own messages stand in the current transcript afterwards, once. */
export function writeAsked(state: PlainState, session: PlainSession, turn: PlainTurn, atMs: number): void {
  const { transcript } = session.facts
  if (turn.asked.length > 0 && turn.facts.transcript === transcript) return
  const before = currentOf(session).length
  for (const each of turn.inbound) write(session, entriesFrom(state, each), turn, atMs)
  turn.asked = currentOf(session).slice(before)
  turn.facts.transcript = transcript
}

/** The session's lease ends, and the first of its waiting turns becomes ready. */
export function release(state: PlainState, session: PlainSession, atMs: number): void {
  session.lease = null
  noteReady(state, session, atMs)
}

/**
 * Only the first waiting turn of a session that nobody holds is ready. Those before it that ended while they waited come
 * into the transcript now: nobody writes there.
 */
export function noteReady(state: PlainState, session: PlainSession, atMs: number): void {
  const waiting = waitingOf(state, session.facts.key)
  for (const [index, { facts }] of waiting.entries()) {
    facts.readyAtMs = session.lease === null && index === 0 ? (facts.readyAtMs ?? atMs) : null
  }
  if (session.lease !== null) return
  for (const turn of state.turns) {
    const { sessionKey, position, outcome } = turn.facts
    const precedes = position < (waiting[0]?.place ?? Number.POSITIVE_INFINITY)
    if (!turn.unwritten || sessionKey !== session.facts.key || !precedes) continue
    writeAsked(state, session, turn, atMs)
    writeEvent(state, session, turn, outcome?.code ?? '', atMs)
    Object.assign(turn, { unwritten: false, hidden: true })
  }
}
