import type { Entry } from '../../model/entries.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { ContextQuery, ContextSource, EntryPage, EntryQuery, EntryVerbs } from '../../store/entries.ts'
import {
  currentOf,
  isShown,
  newestSummary,
  type PlainSession,
  type PlainState,
  sessionAt,
  shownAfter,
  tokensOf,
  turnAt,
  write,
} from './state.ts'
import type { Sync } from './verbs.ts'

/** A page of entries holds at most this of bodies, in UTF-16 code units; a plain bound, not the adapter's. */
const pageBytesMax = 4_000_000

export const entryVerbs = (state: PlainState): Sync<EntryVerbs> => ({
  appendEntries: ({ key, turnId, fence, head, entries, atMs }) => {
    const session = heldSession(state, key, fence)
    if (stand(session, head, entries)) return { head: head + entries.length }
    checkHead(session, head)
    write(session, entries, turnAt(state, turnId), atMs)
    return { head: currentOf(session).length }
  },
  readEntries: (query) => readEntries(state, query),
  readContext: (query) => readContext(state, query),
})

/** The session, when this fence holds its lease. @throws FENCED */
export function heldSession(state: PlainState, key: SessionKey, fence: number): PlainSession {
  const session = state.sessions.get(key)
  if (session?.lease?.fence !== fence) {
    state.fencedWrites += 1
    throw new HoldfastError('FENCED', { key, fence })
  }
  return session
}

export function checkHead(session: PlainSession, head: number): void {
  const found = currentOf(session).length
  if (found !== head) throw new HoldfastError('HEAD_MOVED', { head: found, expected: head })
}

/** Are these very entries there already, right after `head`? */
function stand(session: PlainSession, head: number, entries: { id: string }[]): boolean {
  const there = currentOf(session).slice(head, head + entries.length)
  return entries.length > 0 && entries.every(({ id }, index) => there[index]?.id === id)
}

function readEntries(state: PlainState, query: EntryQuery): EntryPage {
  const session = sessionAt(state, query.key)
  const transcript = query.transcript ?? session.facts.transcript
  const all = session.transcripts[transcript - 1]
  if (all === undefined) throw new HoldfastError('SESSION_NOT_FOUND')
  const ordered = query.order === 'oldest' ? all : all.toReversed()
  const rest = ordered.filter((entry) => {
    const { seq, kind } = entry
    if (query.shownOnly === true && !isShown(state, entry)) return false
    const behind = query.after === undefined || (query.order === 'oldest' ? seq > query.after : seq < query.after)
    return behind && (query.kinds === undefined || query.kinds.includes(kind))
  })
  const entries: Entry[] = []
  let bytes = 0
  for (const entry of rest.slice(0, query.limit)) {
    bytes += JSON.stringify(entry.body).length
    if (entries.length > 0 && bytes > pageBytesMax) break
    entries.push(entry)
  }
  return { transcript, entries, next: entries.length < rest.length ? (entries.at(-1) as Entry).seq : null }
}

function readContext(state: PlainState, query: ContextQuery): ContextSource {
  const session = sessionAt(state, query.key)
  const summary = newestSummary(session)
  const shown = shownAfter(state, session, summary?.uptoSeq ?? 0).filter(({ turnId }) => turnId !== query.exceptTurnId)
  let from = shown.length
  let tokens = 0
  let bytes = 0
  while (from > 0) {
    const entry = shown[from - 1] as Entry
    tokens += entry.tokens
    bytes += new TextEncoder().encode(JSON.stringify(entry.body)).length
    if (from < shown.length && (tokens > query.tokensMax || bytes > query.bytesMax)) break
    from -= 1
  }
  return {
    transcript: session.facts.transcript,
    head: currentOf(session).length,
    summary,
    entries: shown.slice(from),
    olderCount: from,
    olderTokens: tokensOf(shown.slice(0, from)),
    meterRatio: session.facts.meterRatio,
  }
}
