import { sha256 } from '../../host/random.ts'
import type { ArchivedTranscript, NewArchivedTranscript } from '../../model/archives.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { isSettled } from '../../model/turns.ts'
import type { RetentionVerbs, SessionFacts, TakenOut, TakeOutItem } from '../../store/retention.ts'
import { pageOf } from './pages.ts'
import { putBack } from './put-back.ts'
import { recordsOf } from './records.ts'
import { currentOf, type PlainSession, type PlainState, sessionAt, viewOf, writeEvent } from './state.ts'
import type { Sync } from './verbs.ts'

export const retentionVerbs = (state: PlainState): Sync<RetentionVerbs> => ({
  readRetention: ({ limit, activeBeforeMs }) => {
    const sessions = [...state.sessions.values()]
    const kinds = [...new Set(sessions.map(({ facts }) => facts.kind))].toSorted()
    const free = sessions.filter((session) => protectionOf(state, session) === null)
    const facts = (session: PlainSession): SessionFacts => factsOf(session)
    return {
      kinds: kinds.map((kind) => {
        const all = sessions.filter((session) => session.facts.kind === kind).map(facts)
        const listed = free.map(facts).filter((each) => each.kind === kind && each.activeAtMs < activeBeforeMs)
        return {
          kind,
          sessions: all.length,
          entries: all.reduce((sum, { entries }) => sum + entries, 0),
          bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
          idlest: listed.toSorted((one, other) => one.activeAtMs - other.activeAtMs).slice(0, limit),
          eldest: listed.toSorted((one, other) => one.createdAtMs - other.createdAtMs).slice(0, limit),
        }
      }),
      earlier: free
        .flatMap((session) =>
          numbersOf(session)
            .filter((number) => number < session.facts.transcript)
            .map((transcript) => {
              const { key, kind } = session.facts
              const endedAtMs = session.startedMs[transcript + 1] ?? session.startedMs.at(-1) ?? 0
              return { key, kind, transcript, endedAtMs, entries: session.transcripts[transcript - 1]?.length ?? 0 }
            }),
        )
        .toSorted((one, other) => one.endedAtMs - other.endedAtMs)
        .slice(0, limit),
      archived: { archives: placeOf(state, 'archives'), trash: placeOf(state, 'trash') },
      bytes: { database: 0, free: 0, log: 0, diskFree: 0 },
      clock: { newestMs: newestOf(state), notedMs: state.clockMs },
    }
  },
  exportTranscripts: ({ items }) =>
    items.flatMap(({ key, transcript }) => {
      const session = state.sessions.get(key)
      const entries = session?.transcripts[transcript - 1]
      if (session === undefined || entries === undefined) return []
      const stamp = stampOf(state, session, transcript)
      const text = recordsOf(state, session, transcript)
      const [firstAtMs, lastAtMs] = [entries.at(0)?.atMs ?? null, entries.at(-1)?.atMs ?? null]
      return [{ key, transcript, stamp, text, entries: entries.length, firstAtMs, lastAtMs, next: null }]
    }),
  takeOut: ({ items }) => items.map((item) => takeOut(state, item)),
  purge: () => false,
  putBack: (input) => putBack(state, input),
  listArchived: (query) => {
    const rows = state.archived
      .filter(
        (each) =>
          (query.key === undefined || each.sessionKey === query.key) &&
          (query.place === undefined || each.place === query.place) &&
          (query.sweep === undefined || each.sweep === query.sweep) &&
          (query.expiredAtMs === undefined || (each.expiresAtMs !== null && each.expiresAtMs <= query.expiredAtMs)),
      )
      .toSorted((one, other) => other.takenAtMs - one.takenAtMs || other.id - one.id)
    return pageOf(rows, ({ takenAtMs, id }) => [-takenAtMs, -id], query)
  },
  enterArchived: ({ items }) => {
    for (const item of items) if (knownId(state, item) === null) enter(state, item)
  },
  moveArchived: ({ moves }) => {
    for (const { id, ...where } of moves) {
      const found = state.archived.find((each) => each.id === id)
      if (found !== undefined) Object.assign(found, where)
    }
  },
  dropArchived: ({ ids }) => {
    state.archived = state.archived.filter(({ id }) => !ids.includes(id))
    for (const id of ids) state.returning.delete(id)
  },
  deleteSession: ({ key }) => {
    const session = sessionAt(state, key)
    if (isBusy(state, session)) throw new HoldfastError('SESSION_BUSY', { key })
    for (const number of numbersOf(session)) dropTranscript(state, session, number)
    bury(state, session)
  },
  addEvent: ({ key, code, text, atMs }) => {
    const session = sessionAt(state, key)
    if (session.lease !== null) throw new HoldfastError('SESSION_BUSY', { key })
    writeEvent(state, session, null, code, atMs)
    const event = currentOf(session).at(-1)
    if (event === undefined) throw new HoldfastError('INTERNAL')
    return Object.assign(event, { body: { code, text } })
  },
  noteClock: ({ atMs }) => {
    state.clockMs = atMs
  },
  giveBack: () => ({ freeBytes: 0 }),
  scrub: () => {},
})

const numbersOf = ({ transcripts }: PlainSession): number[] =>
  transcripts.flatMap((_, index) => [index + 1]).filter((number) => transcripts[number - 1] !== undefined)

function factsOf(session: PlainSession): SessionFacts {
  const { key, kind, createdAtMs, activeAtMs } = session.facts
  const entries = session.transcripts.flat()
  const bytes = entries.reduce((sum, { body }) => sum + new TextEncoder().encode(JSON.stringify(body)).length, 0)
  return { key, kind, createdAtMs, activeAtMs, transcripts: numbersOf(session), entries: entries.length, bytes }
}

function placeOf({ archived }: PlainState, place: ArchivedTranscript['place']) {
  const found = archived.filter((each) => each.place === place)
  return { count: found.length, bytes: found.reduce((sum, { length }) => sum + length, 0) }
}

function newestOf({ sessions, turns, archived }: PlainState): number {
  const times = [...sessions.values()].flatMap(({ facts, transcripts }) => [
    facts.activeAtMs,
    ...transcripts.flat().map(({ atMs }) => atMs),
  ])
  const others = [...turns.map(({ facts }) => facts.admittedAtMs), ...archived.map(({ takenAtMs }) => takenAtMs)]
  return Math.max(0, ...times, ...others)
}

function isBusy(state: PlainState, { facts, lease }: PlainSession): boolean {
  const open = state.turns.some((turn) => turn.facts.sessionKey === facts.key && !isSettled(turn.facts.status))
  return lease !== null || open
}

function protectionOf(state: PlainState, session: PlainSession): TakenOut['because'] {
  const { key, pinned } = session.facts
  if (pinned) return 'pinned'
  const unsettled = state.deliveries.some(
    ({ sessionKey, status }) => sessionKey === key && (status === 'pending' || status === 'sending'),
  )
  return isBusy(state, session) || unsettled ? 'busy' : null
}

/** Everything that an export may hold. */
function stampOf(state: PlainState, session: PlainSession, transcript: number): string {
  const { entries, ...facts } = { ...viewOf(state, session), entries: session.transcripts[transcript - 1]?.length }
  return sha256(JSON.stringify([facts, entries, session.summaries]))
}

function takeOut(state: PlainState, { key, transcript, stamp, archived }: TakeOutItem): TakenOut {
  const stays = (because: TakenOut['because']): TakenOut => ({ key, transcript, id: null, because })
  const session = state.sessions.get(key)
  if (session?.transcripts[transcript - 1] === undefined) {
    const id = knownId(state, archived)
    return id === null ? stays('gone') : { key, transcript, id, because: null }
  }
  const protection = protectionOf(state, session)
  if (protection !== null) return stays(protection)
  const whole = transcript === session.facts.transcript
  if (whole !== archived.whole || stampOf(state, session, transcript) !== stamp) return stays('changed')
  if (whole && numbersOf(session).length > 1) return stays('changed')
  dropTranscript(state, session, transcript)
  if (whole) bury(state, session)
  return { key, transcript, id: enter(state, archived), because: null }
}

function dropTranscript(state: PlainState, session: PlainSession, number: number): void {
  const { key, transcript } = session.facts
  const leaves = ({ facts }: PlainState['turns'][number]) =>
    facts.sessionKey === key && (facts.transcript === number || (number === transcript && facts.transcript === null))
  const gone = state.turns.filter(leaves)
  session.turnsGone += gone.length
  session.summaries = session.summaries.filter((summary) => summary.transcript !== number)
  state.deliveries = state.deliveries.filter(({ turnId }) => !gone.some(({ facts }) => facts.id === turnId))
  state.turns = state.turns.filter((turn) => !leaves(turn))
  delete session.transcripts[number - 1]
}

/** Only its fence and the number of its last transcript stay. */
function bury(state: PlainState, { facts }: PlainSession): void {
  const { fence, transcript } = facts
  state.buried.set(facts.key, { fence, transcript })
  state.sessions.delete(facts.key)
}

function knownId({ archived }: PlainState, item: { sessionKey: SessionKey; transcript: number; sweep: string }) {
  const same = (each: ArchivedTranscript) =>
    each.sessionKey === item.sessionKey && each.transcript === item.transcript && each.sweep === item.sweep
  return archived.find(same)?.id ?? null
}

function enter(state: PlainState, item: NewArchivedTranscript): number {
  state.ids += 1
  state.archived.push({ ...item, id: state.ids })
  return state.ids
}
