import { HoldfastError } from '../../model/errors.ts'
import { deliveryWaitMaxMs } from '../../model/holders.ts'
import { laneNames } from '../../model/lanes.ts'
import type { Summary } from '../../model/sessions.ts'
import type { TurnStatus } from '../../model/turns.ts'
import type { DeliveryVerbs } from '../../store/deliveries.ts'
import type { HolderVerbs } from '../../store/holders.ts'
import type { SummaryVerbs } from '../../store/summaries.ts'
import type { UpkeepVerbs, VerifyReport } from '../../store/upkeep.ts'
import { currentOf, newestSummary, type PlainState, sessionAt, shownAfter, tokensOf, turnAt } from './state.ts'
import { replyOf } from './turns.ts'
import type { Sync } from './verbs.ts'

export const summaryVerbs = (state: PlainState): Sync<SummaryVerbs> => ({
  commitSummary: ({ key, transcript, baseId, uptoSeq, kind, text, tokens, atMs }) => {
    const session = sessionAt(state, key)
    const base = newestSummary(session)
    if (transcript !== session.facts.transcript || baseId !== (base?.id ?? null))
      throw new HoldfastError('SUMMARY_STALE')
    const fromSeq = base?.uptoSeq ?? 0
    if (text.trim() === '' || uptoSeq <= fromSeq || uptoSeq > currentOf(session).length) {
      throw new HoldfastError('SUMMARY_REFUSED')
    }
    const covered = shownAfter(state, session, fromSeq).filter(({ seq }) => seq <= uptoSeq)
    const replacedTokens = (base?.tokens ?? 0) + tokensOf(covered)
    if (tokens >= replacedTokens) throw new HoldfastError('SUMMARY_REFUSED')
    state.ids += 1
    const made: Summary = {
      id: state.ids,
      transcript,
      baseId,
      uptoSeq,
      kind,
      text,
      tokens,
      replacedTokens,
      atMs,
      undoneAtMs: null,
    }
    session.summaries.push(made)
    return made
  },
  undoSummary: ({ key, summaryId, atMs }) => {
    const session = sessionAt(state, key)
    const found = session.summaries.find(({ id }) => id === summaryId)
    if (found === undefined) throw new HoldfastError('SUMMARY_NOT_FOUND')
    if (found !== newestSummary(session)) throw new HoldfastError('SUMMARY_STALE')
    found.undoneAtMs = atMs
    return found
  },
  listSummaries: (key) => {
    const { facts, summaries } = sessionAt(state, key)
    return summaries.filter(({ transcript }) => transcript === facts.transcript).toReversed()
  },
})

export const deliveryVerbs = (state: PlainState): Sync<DeliveryVerbs> => ({
  claimDelivery: ({ atMs }) => {
    const [due] = state.deliveries
      .filter(
        ({ status, nextAttemptAtMs: nextMs }) =>
          status === 'pending' && (nextMs <= atMs || nextMs > atMs + deliveryWaitMaxMs),
      )
      .toSorted((one, other) => one.nextAttemptAtMs - other.nextAttemptAtMs || one.id - other.id)
    if (due === undefined) return null
    due.status = 'sending'
    due.attempts += 1
    return { ...due, reply: replyOf(state, turnAt(state, due.turnId)) }
  },
  listUnsent: ({ limit, key }) => {
    const asked = state.deliveries.filter(({ sessionKey }) => key === undefined || sessionKey === key)
    const having = (status: 'sending' | 'pending') => asked.filter((each) => each.status === status)
    const due = having('pending').toSorted((one, other) => one.nextAttemptAtMs - other.nextAttemptAtMs)
    return [...having('sending').slice(0, limit), ...due.slice(0, limit)]
  },
  settleDelivery: ({ id, status, error, nextAttemptAtMs }) => {
    const found = state.deliveries.find((delivery) => delivery.id === id && delivery.status === 'sending')
    if (found !== undefined) Object.assign(found, { status, error, nextAttemptAtMs })
  },
  markUnknownDeliveries: () => {
    const lost = state.deliveries.filter(({ status }) => status === 'sending')
    for (const delivery of lost) delivery.status = 'unknown'
    return lost.length
  },
})

export const upkeepVerbs = (state: PlainState): Sync<UpkeepVerbs> => {
  const backups = new Set<string>()
  const verify = (): VerifyReport => ({
    ok: true,
    checks: [{ name: 'arrays', ok: true, problems: [] }],
    sessions: state.sessions.size,
    entries: entryCount(state),
    durationMs: 0,
  })
  return {
    statistics: () => {
      const having = (status: TurnStatus) => state.turns.filter(({ facts }) => facts.status === status)
      return {
        sessions: state.sessions.size,
        sessionsArchived: [...state.sessions.values()].filter(({ facts }) => facts.state === 'archived').length,
        entries: entryCount(state),
        turnsQueued: having('queued').length,
        turnsRunning: having('running').length,
        turnsInterrupted: having('interrupted').length,
        lanes: laneNames.map((lane) => {
          const queued = having('queued').filter(({ facts }) => facts.lane === lane)
          const running = having('running').filter(({ facts }) => facts.lane === lane).length
          const oldestQueuedAtMs = queued.length === 0 ? null : Math.min(...queued.map(({ queuedAtMs }) => queuedAtMs))
          return { lane, queued: queued.length, running, oldestQueuedAtMs }
        }),
        bytes: { database: 0, log: 0, free: 0, blobs: 0, diskFree: 0 },
        lastVerify: state.lastVerify,
        writable: true,
        logPinned: false,
        fencedWrites: state.fencedWrites,
        nextDueAtMs: nextDueOf(state),
      }
    },
    probe: () => {},
    verify: ({ atMs }) => {
      state.lastVerify = { atMs, ok: true }
      return verify()
    },
    backup: ({ directory }) => {
      if (backups.has(directory)) throw new HoldfastError('BACKUP_FAILED', { because: 'the directory is not empty' })
      backups.add(directory)
      return { path: directory, bytes: 1, sha256: '0'.repeat(64), verify: verify() }
    },
  }
}

function nextDueOf(state: PlainState): number | null {
  const windows = state.turns.flatMap(({ facts, windowEndsMs }) =>
    facts.status === 'queued' && facts.attempts === 0 && windowEndsMs !== null ? [windowEndsMs] : [],
  )
  return windows.length === 0 ? null : Math.min(...windows)
}

const entryCount = (state: PlainState): number =>
  [...state.sessions.values()]
    .flatMap(({ transcripts }) => transcripts.map(({ length }) => length))
    .reduce((a, b) => a + b, 0)

/** One process owns the store: nobody else lives, and nobody lapses. */
export const holderVerbs: Sync<HolderVerbs> = {
  announce: () => {},
  listHolders: () => [],
  expireLapsed: () => [],
  takeDuty: () => true,
}
