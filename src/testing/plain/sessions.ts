import { HoldfastError } from '../../model/errors.ts'
import { agentOf, kindOf, type SessionKey } from '../../model/keys.ts'
import type { Message } from '../../model/messages.ts'
import { textOf } from '../../model/messages.ts'
import type { Page } from '../../store/page.ts'
import type { ResetResult, SearchHit, SearchQuery, SessionQuery, SessionVerbs } from '../../store/sessions.ts'
import { pageOf } from './pages.ts'
import {
  type PlainSession,
  type PlainState,
  release,
  sessionAt,
  turnAt,
  viewOf,
  waitingOf,
  writeEvent,
} from './state.ts'
import type { Sync } from './verbs.ts'

export function findOrMake(state: PlainState, key: SessionKey, atMs: number): PlainSession {
  const found = state.sessions.get(key)
  if (found !== undefined) return found
  const buried = state.buried.get(key)
  const number = (buried?.transcript ?? 0) + 1
  const made: PlainSession = {
    facts: {
      key,
      agentId: agentOf(key),
      kind: kindOf(key),
      state: 'open',
      title: null,
      pinned: false,
      transcript: number,
      fence: buried?.fence ?? 0,
      meterRatio: 1,
      createdAtMs: atMs,
      activeAtMs: atMs,
      archivedAtMs: null,
    },
    transcripts: [],
    startedMs: [],
    summaries: [],
    turnsGone: 0,
    lease: null,
  }
  made.transcripts[number - 1] = []
  made.startedMs[number] = atMs
  state.sessions.set(key, made)
  return made
}

export const sessionVerbs = (state: PlainState): Sync<SessionVerbs> => ({
  openSession: ({ key, atMs }) => viewOf(state, findOrMake(state, key, atMs)),
  readSession: (key) => {
    const session = state.sessions.get(key)
    return session === undefined ? null : viewOf(state, session)
  },
  listSessions: (query) => listSessions(state, query),
  patchSession: ({ key, title, pinned }) => {
    const session = sessionAt(state, key)
    if (title !== undefined) session.facts.title = title
    if (pinned !== undefined) session.facts.pinned = pinned
    return viewOf(state, session)
  },
  resetSession: (input) => resetSession(state, input),
  archiveSession: ({ key, atMs }) => {
    const session = sessionAt(state, key)
    const interrupted = state.turns.some(({ facts }) => facts.sessionKey === key && facts.status === 'interrupted')
    if (session.lease !== null || waitingOf(state, key).length > 0 || interrupted)
      throw new HoldfastError('SESSION_BUSY', { key })
    if (session.facts.state === 'open') Object.assign(session.facts, { state: 'archived', archivedAtMs: atMs })
    return viewOf(state, session)
  },
  searchEntries: (query) => searchEntries(state, query),
})

export function resetSession(
  state: PlainState,
  { key, reason, atMs }: { key: SessionKey; reason: string; atMs: number },
): ResetResult {
  const session = sessionAt(state, key)
  const { facts, lease } = session
  const previousTranscript = facts.transcript
  if (lease !== null) {
    const { message, facts: why } = new HoldfastError('TURN_CANCELLED', { because: reason })
    const outcome = { code: 'TURN_CANCELLED' as const, message, facts: why, retryAfterMs: null }
    const turn = turnAt(state, lease.turnId).facts
    turn.cancelRequested ??= reason
    Object.assign(turn, { status: 'cancelled', outcome, settledAtMs: atMs })
    facts.fence += 1
  }
  release(state, session, atMs)
  facts.transcript += 1
  facts.activeAtMs = atMs
  session.startedMs[facts.transcript] = atMs
  session.transcripts.push([])
  writeEvent(state, session, null, 'SESSION_RESET', atMs)
  return { session: viewOf(state, session), previousTranscript, cancelledTurnId: lease?.turnId ?? null }
}

function listSessions(state: PlainState, query: SessionQuery) {
  const order = [...state.sessions.keys()]
  const rows = [...state.sessions.values()]
    .map((session) => viewOf(state, session))
    .filter(
      (session) =>
        (query.kind === undefined || session.kind === query.kind) &&
        (query.agentId === undefined || session.agentId === query.agentId) &&
        session.state === (query.state ?? 'open') &&
        session.key.startsWith(query.prefix ?? '') &&
        (query.busy === undefined || query.busy === (session.running || session.queuedTurns > 0)),
    )
    .toSorted((one, other) => other.activeAtMs - one.activeAtMs || order.indexOf(other.key) - order.indexOf(one.key))
  const placeOf = (session: (typeof rows)[number]) => [-session.activeAtMs, -order.indexOf(session.key)]
  return pageOf(rows, placeOf, query)
}

function searchEntries(state: PlainState, query: SearchQuery): Page<SearchHit> {
  const words = query.text.split(/\s+/).filter((word) => word !== '')
  const hits = [...state.sessions.values()]
    .filter(({ facts }) => query.key === undefined || facts.key === query.key)
    .flatMap(({ facts, transcripts }) =>
      transcripts.flatMap((entries, index) =>
        entries.map((entry): SearchHit => ({ sessionKey: facts.key, transcript: index + 1, entry })),
      ),
    )
    .filter(({ entry }) => {
      const text = entry.kind === 'event' ? String(entry.body.text) : textOf(entry.body as Message)
      return words.every((word) => text.toLowerCase().includes(word.toLowerCase()))
    })
    .toReversed()
    .toSorted((one, other) => other.entry.atMs - one.entry.atMs)
  const placeOf = (hit: SearchHit) => [hits.indexOf(hit)]
  return pageOf(hits, placeOf, query)
}
