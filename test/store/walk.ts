import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { sha256 } from '../../src/host/random.ts'
import type { Entry } from '../../src/model/entries.ts'
import { type ErrorCode, HoldfastError, isHoldfastError, recordOf } from '../../src/model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { type LaneName, type LaneRules, laneNames } from '../../src/model/lanes.ts'
import type { Message } from '../../src/model/messages.ts'
import type { Session, Summary } from '../../src/model/sessions.ts'
import { busyPolicies, isSettled, type Turn } from '../../src/model/turns.ts'
import type { Store } from '../../src/store/port.ts'
import type { KindFacts, SessionFacts } from '../../src/store/retention.ts'
import type { AdmitInput, Claim, SettleInput } from '../../src/store/turns.ts'
import { type WaitStatus, waitStatuses } from '../../src/store/waits.ts'
import { type Exported, exported, inParts, itemOf } from '../../src/testing/contract/retention/moves.ts'
import { holderNamed, lanesOf, openLanes, type Pen, penOf } from '../../src/testing/contract/scene.ts'
import { moveJob, putJob, readJob, removeAll, removeJob, startJob, switchJob } from './walk-jobs.ts'

/** One step of a walk: which verb, and numbers that choose among what is there when its turn comes. */
export interface Step {
  verb: keyof typeof walks
  /** Chooses the session, the turn or the writer. */
  who: number
  /** Chooses among the variants of the verb. */
  how: number
  /** Time that passes before. */
  afterMs: number
}

/** The two stores side by side, and what their user remembers. */
interface Pair {
  store: Store
  plain: Store
  name: string
  prefix: string
  keys: SessionKey[]
  nowMs: number
  ids: number
  pens: Pen[]
  turnIds: string[]
  admissions: AdmitInput[]
  settlings: SettleInput[]
  /** Of each store its own, since ids of deliveries are the store's. */
  sending: { store: number; plain: number }[]
  /** What was taken out and not put back. */
  archived: {
    key: SessionKey
    transcript: number
    store: number
    plain: number
    text: { store: string; plain: string }
  }[]
}

const requests = [0, 1, 2].map((kind) => ({
  instructions: [],
  params: { temperature: kind % 2 },
  streaming: false,
  deliverTo: kind === 2 ? ['a', 'b', 'a'] : [],
}))
const settledAs = ['done', 'done', 'failed', 'cancelled', 'quarantined'] as const
/** From nearly everything at once to hardly anything, so that every rule decides now and then. */
const rules: LaneRules[] = [
  openLanes,
  lanesOf({ main: 1, cron: 1, resume: 1 }),
  lanesOf({ main: 3, subagent: 2, cron: 2, resume: 2, background: 2 }, { slots: 4, userSlots: 2, sourceShare: 0.4 }),
  lanesOf(
    { main: 2, subagent: 1, cron: 2, resume: 1, background: 1 },
    { slots: 3, userSlots: 1, sourceShare: 0.5, patienceMs: { subagent: 20, cron: 40, resume: 41, background: 80 } },
  ),
]
const sources = ['test', 'test', 'other', 'third', 'fourth']
const outcomes: ErrorCode[] = ['MODEL_REJECTED', 'MODEL_TIMEOUT', 'TURN_CANCELLED']

const pick = <T>(from: readonly T[], number: number): T | undefined => from[number % Math.max(1, from.length)]
const keyOf = ({ keys }: Pair, { who }: Step): SessionKey => pick(keys, who) as SessionKey

function freshId(pair: Pair, word: string): string {
  pair.ids += 1
  return `${pair.prefix}${word}-${pair.ids}`
}

function entry(pair: Pair, text: string) {
  return {
    id: freshId(pair, 'entry'),
    kind: 'assistant' as const,
    body: { role: 'assistant' as const, content: text },
    tokens: text.length,
  }
}

/** The same call on both; what it gives, or the code that it is refused with, must be the same. */
async function both<T>(
  pair: Pair,
  call: (store: Store) => Promise<T>,
  viewOf: (value: T) => unknown,
): Promise<Answers<T> | null> {
  const [one, other] = await Promise.all([outcome(call(pair.store)), outcome(call(pair.plain))])
  const seen = (found: Outcome<T>) => ('value' in found ? viewOf(found.value) : { refused: found.refused })
  same(seen(one), seen(other))
  return 'value' in one && 'value' in other ? { store: one.value, plain: other.value } : null
}

interface Answers<T> {
  store: T
  plain: T
}

type Outcome<T> = { value: T } | { refused: ErrorCode }

function outcome<T>(call: Promise<T>): Promise<Outcome<T>> {
  return call.then(
    (value): Outcome<T> => ({ value }),
    (error: unknown): Outcome<T> => {
      if (!isHoldfastError(error)) throw error
      return { refused: error.code }
    },
  )
}

function same(store: unknown, plain: unknown): void {
  if (isDeepStrictEqual(store, plain)) return
  throw new Error(
    `the store and the plain model differ\n store: ${JSON.stringify(store)}\n plain: ${JSON.stringify(plain)}`,
  )
}

const sessionView = (session: Session | null) => session
const turnView = (turn: Turn) => ({
  ...turn,
  outcome: turn.outcome?.code ?? null,
  cancelRequested: turn.cancelRequested !== null,
})
/** Ids and words of what a store writes by itself are its own. */
const entryView = ({ id, parentId, kind, body, ...rest }: Entry) =>
  kind === 'event' ? { kind, ...rest } : { kind, body, ...rest }
const summaryView = ({ id, baseId, ...rest }: Summary) => ({ ...rest, first: baseId === null })
const claimView = (claim: Claim | null) => claim && { ...claim, turn: turnView(claim.turn) }
const codes = () => 'ok'

function admissionOf(pair: Pair, key: SessionKey, how: number): AdmitInput {
  const text = 'words '.repeat(1 + (how % 3)) + (how % 7)
  const messages: Message[] = [{ role: 'user', content: text }]
  return {
    key,
    turnId: freshId(pair, 'turn'),
    lane: how % 3 === 0 ? (pick(laneNames, how >> 3) as AdmitInput['lane']) : 'main',
    source: pick(sources, how >> 4) as string,
    dedupeKey: how % 4 === 0 ? `k${(how >> 2) % 3}` : null,
    digest: sha256(text),
    messages,
    tokens: [text.length],
    request: requests[how % 9 === 0 ? 1 : how % 5 === 1 ? 2 : 0] as AdmitInput['request'],
    onBusy: pick(busyPolicies, how >> 1) as AdmitInput['onBusy'],
    coalesceMs: 40,
    coalesceTokensMax: 20,
    queuedMax: { session: 4, total: 12 },
    reset: how % 6 === 0 ? { transcript: 1 + (how % 4), reason: `enough ${how}` } : null,
    atMs: pair.nowMs,
  }
}

const walks = {
  admit: async (pair: Pair, step: Step) => {
    if (step.how % 6 === 0) pair.nowMs += 1 // a reset at the same time could be a repeat
    const input = admissionOf(pair, keyOf(pair, step), step.how)
    pair.admissions.push(input)
    await admit(pair, input)
  },
  admitAgain: async (pair: Pair, step: Step) => {
    const input = pick(pair.admissions, step.who)
    if (input !== undefined) await admit(pair, { ...input, atMs: pair.nowMs })
  },
  claim: async (pair: Pair, { who, how }: Step) => {
    const holder = holderNamed(`holder-${who % 2}`)
    const input = { holder, rules: pick(rules, how) as LaneRules, atMs: pair.nowMs }
    const claim = await both(pair, (store) => store.claimTurn(input), claimView)
    if (claim?.store) pair.pens.push(penOf(claim.store))
  },
  append: async (pair: Pair, step: Step) => {
    const pen = pick(pair.pens.slice(-4), step.who)
    if (pen === undefined) return
    const entries = Array.from({ length: step.how % 3 }, () => entry(pair, 'x'.repeat(1 + (step.how % 5))))
    const head = pen.head + (step.how % 8 === 7 ? 1 : step.how % 8 === 6 ? -1 : 0)
    const call = (store: Store) => store.appendEntries({ ...pen, head, entries, atMs: pair.nowMs })
    const done = await both(pair, call, (found) => found)
    if (step.how % 4 === 0) await both(pair, call, (found) => found)
    if (done !== null) pen.head = done.store.head
  },
  progress: async (pair: Pair, step: Step) => {
    const pen = pick(pair.pens.slice(-4), step.who)
    if (pen === undefined) return
    const { key, fence } = pen
    await both(pair, (store) => store.recordProgress({ key, fence, note: `n${step.how}`, atMs: pair.nowMs }), codes)
  },
  settle: async (pair: Pair, step: Step) => {
    const pen = pick(pair.pens.slice(-4), step.who)
    if (pen === undefined) return
    const status = pick(settledAs, step.how) as SettleInput['status']
    const code = pick(outcomes, step.how >> 2) as ErrorCode
    const input: SettleInput = {
      ...pen,
      status,
      entries: step.how % 2 === 0 ? [entry(pair, 'reply')] : [],
      outcome: status === 'done' ? null : recordOf(new HoldfastError(code)),
      finishReason: status === 'done' ? 'stop' : null,
      usage: step.how % 3 === 0 ? { promptTokens: 1, completionTokens: 2, totalTokens: 3 } : null,
      meterRatio: step.how % 7 === 0 ? 1.25 : null,
      atMs: pair.nowMs,
    }
    const done = await both(pair, (store) => store.settleTurn(input), turnView)
    if (done !== null) pair.settlings.push(input)
  },
  settleAgain: async (pair: Pair, step: Step) => {
    const input = pick(pair.settlings, step.who)
    if (input !== undefined) await both(pair, (store) => store.settleTurn(input), turnView)
  },
  cancel: async (pair: Pair, step: Step) => {
    pair.nowMs += 1 // at the same time it could be a repeat
    const turnId = pick(pair.turnIds, step.who) ?? 'nothing'
    await both(pair, (store) => store.cancelTurn({ turnId, reason: 'unwanted', atMs: pair.nowMs }), turnView)
  },
  /** Of a waiting turn it says nothing. */
  revoke: async (pair: Pair, step: Step) => {
    pair.nowMs += 1 // at the same time it could be a repeat
    const turnId = pick(pair.pens, step.who)?.turnId ?? 'nothing'
    const { turn } = (await pair.plain.readTurn(turnId)) ?? {}
    if (turn !== undefined && turn.status !== 'running' && !isSettled(turn.status)) return
    const outcome = recordOf(new HoldfastError('TURN_STALLED'))
    await both(pair, (store) => store.revokeTurn({ turnId, status: 'failed', outcome, atMs: pair.nowMs }), turnView)
  },
  expire: async (pair: Pair, { who, how }: Step) => {
    pair.nowMs += 1 // at the same time it would be a repeat, which gives the same turns again
    const holderIds = [`holder-${who % 3}`]
    const byPosition = (turns: Turn[]) => turns.map(turnView).sort((one, other) => one.position - other.position)
    const input = { holderIds, handedOver: how % 2 === 0, limit: 1 + (how % 3), atMs: pair.nowMs }
    await both(pair, (store) => store.expireLeases(input), byPosition)
  },
  /** What becomes of an interrupted turn. */
  recover: async (pair: Pair, { who, how }: Step) => {
    pair.nowMs += 1 // at the same time it could be a repeat
    const { items } = await pair.plain.listTurns({ order: 'oldest', limit: 100, statuses: ['interrupted'] })
    const turnId = pick(items, who)?.id ?? 'nothing'
    const { nowMs: atMs } = pair
    const outcome = recordOf(new HoldfastError('TURN_QUARANTINED'))
    if (how % 4 === 0) await both(pair, (store) => store.quarantineTurn({ turnId, outcome, atMs }), turnView)
    else await both(pair, (store) => store.requeueTurn({ turnId, lane: 'resume', atMs }), turnView)
  },
  release: async (pair: Pair, { who, how }: Step) => {
    pair.nowMs += 1
    const listed = await both(
      pair,
      (store) => store.listQuarantined({ limit: 100 }),
      ({ items }) => items.map(({ id }) => id),
    )
    const own = listed?.plain.items.filter(({ sessionKey }) => pair.keys.includes(sessionKey)) ?? []
    const turnId = (how % 3 === 0 ? undefined : pick(own, who)?.id) ?? pick(pair.turnIds, who) ?? 'nothing'
    const newTurnId = freshId(pair, 'released')
    const made = await both(pair, (store) => store.releaseTurn({ turnId, newTurnId, atMs: pair.nowMs }), turnView)
    if (made?.store.id === newTurnId) pair.turnIds.push(newTurnId)
  },
  repair: async (pair: Pair, step: Step) => {
    const key = keyOf(pair, step)
    await both(
      pair,
      (store) => store.inspectSession({ key }),
      (problems) => problems,
    )
    if (step.how % 2 === 0)
      await both(pair, (store) => store.repairSession({ key, afterSeq: 0, atMs: pair.nowMs }), codes)
  },
  reset: async (pair: Pair, step: Step) => {
    pair.nowMs += 1 // at the same time it would be a repeat
    const key = keyOf(pair, step)
    await both(
      pair,
      (store) => store.resetSession({ key, reason: 'enough', atMs: pair.nowMs }),
      (found) => found,
    )
  },
  archive: async (pair: Pair, step: Step) => {
    const key = keyOf(pair, step)
    await both(pair, (store) => store.archiveSession({ key, atMs: pair.nowMs }), sessionView)
  },
  open: async (pair: Pair, step: Step) => {
    const key = keyOf(pair, step)
    await both(pair, (store) => store.openSession({ key, atMs: pair.nowMs }), sessionView)
  },
  patch: async (pair: Pair, step: Step) => {
    const input = { key: keyOf(pair, step), title: step.how % 2 === 0 ? null : `t${step.how}`, atMs: pair.nowMs }
    await both(pair, (store) => store.patchSession(input), sessionView)
  },
  summarise: async (pair: Pair, step: Step) => {
    const key = keyOf(pair, step)
    const session = await pair.plain.readSession(key)
    if (session === null) return
    const { how } = step
    const commit = async (store: Store) => {
      const newest = (await store.listSummaries(key)).filter(({ undoneAtMs }) => undoneAtMs === null)[0]
      return store.commitSummary({
        key,
        transcript: session.transcript - (how % 13 === 0 ? 1 : 0),
        baseId: how % 11 === 0 ? null : (newest?.id ?? null),
        uptoSeq: how % 7 === 0 ? session.head + 1 : Math.max(0, session.head - (how % 4)),
        kind: 'model',
        text: how % 17 === 0 ? ' ' : `note ${how}`,
        tokens: how % 12,
        atMs: pair.nowMs,
      })
    }
    await both(pair, commit, summaryView)
  },
  undo: async (pair: Pair, step: Step) => {
    const key = keyOf(pair, step)
    const undo = async (store: Store) => {
      const counting = (await store.listSummaries(key)).filter(({ undoneAtMs }) => undoneAtMs === null)
      const summaryId = counting[step.how % 5 === 0 ? 1 : 0]?.id ?? 1_000_000
      return store.undoSummary({ key, summaryId, atMs: pair.nowMs })
    }
    await both(pair, undo, summaryView)
  },
  deliver: async (pair: Pair, { how }: Step) => {
    const view = (found: Awaited<ReturnType<Store['claimDelivery']>>) =>
      found && { ...found, id: 0, outcome: found.outcome?.code ?? null, reply: found.reply.map(entryView) }
    const taken = await both(pair, (each) => each.claimDelivery({ atMs: pair.nowMs }), view)
    if (!taken?.store || !taken.plain || how % 4 === 0) return
    pair.sending.push({ store: taken.store.id, plain: taken.plain.id })
  },
  settleDelivery: async (pair: Pair, { how }: Step) => {
    const sending = pair.sending.shift()
    if (sending === undefined) return
    const status = pick(['pending', 'sent', 'failed', 'unknown'] as const, how) as 'sent'
    const nextAttemptAtMs = pair.nowMs + 20
    const settle = (store: Store) => {
      const id = store === pair.store ? sending.store : sending.plain
      return store.settleDelivery({ id, status, error: null, nextAttemptAtMs })
    }
    await both(pair, settle, codes)
  },
  markUnknown: async (pair: Pair) => {
    await both(
      pair,
      (store) => store.markUnknownDeliveries({ atMs: pair.nowMs }),
      (count) => count,
    )
  },
  putJob: async (pair: Pair, { who, how }: Step) => {
    await both(pair, putJob(pair.name, who, how, pair.nowMs), (job) => job)
  },
  switchJob: async (pair: Pair, { who, how }: Step) => {
    await both(pair, switchJob(pair.name, who, how, pair.nowMs), (job) => job)
  },
  removeJob: async (pair: Pair, { who, how }: Step) => {
    if (how % 3 === 0) await both(pair, removeJob(pair.name, who), codes)
  },
  moveJob: async (pair: Pair, { who, how }: Step) => {
    const job = await readJob(pair.name, who)(pair.plain)
    await both(pair, moveJob(pair.name, who, how, pair.nowMs, job), (moved) => moved)
  },
  startJob: async (pair: Pair, { who, how }: Step) => {
    const job = await readJob(pair.name, who)(pair.plain)
    const start = startJob(pair.name, who, how, job, admissionOf(pair, keyOf(pair, { who } as Step), how))
    for (let times = how % 4 === 0 ? 2 : 1; times > 0; times -= 1) {
      const done = await both(pair, start, ({ job, turn }) => ({ job, turn: turn && turnView(turn) }))
      const id = done?.store.turn?.id
      if (id !== undefined && !pair.turnIds.includes(id)) pair.turnIds.push(id)
    }
  },
  /** A sweep: the earlier transcripts, and perhaps the current one. What was exported before may be stale by now. */
  takeOut: async (pair: Pair, step: Step) => {
    pair.nowMs += 1
    const key = keyOf(pair, step)
    const session = await pair.plain.readSession(key)
    const numbers = Array.from({ length: session?.transcript ?? 1 }, (_, index) => index + 1)
    const chosen = step.how % 3 === 0 ? numbers : numbers.slice(0, -1)
    const sweep = `${pair.prefix}${pair.nowMs}`
    const texts = new Map<Store, string[]>()
    const take = async (store: Store) => {
      const found: Exported[] = []
      for (const number of chosen) {
        const there = await store.exportTranscripts({ items: [{ key, transcript: number }], bytesMax: 1 })
        if (there.length > 0) found.push(await exported(store, key, number, 700))
      }
      texts.set(
        store,
        found.map(({ text }) => text),
      )
      if (step.how % 7 === 0) await store.patchSession({ key, title: `t${pair.nowMs}`, atMs: pair.nowMs }).catch(codes)
      const items = found.map((each) => itemOf(each, { whole: each.transcript === session?.transcript, sweep }))
      return store.takeOut({ items, atMs: pair.nowMs })
    }
    const done = await both(pair, take, (taken) => taken.map(({ id, ...rest }) => ({ ...rest, out: id !== null })))
    for (const [index, { id, transcript }] of (done?.store ?? []).entries()) {
      const plainId = done?.plain[index]?.id ?? null
      if (id === null || plainId === null) continue
      const text = { store: texts.get(pair.store)?.[index] ?? '', plain: texts.get(pair.plain)?.[index] ?? '' }
      pair.archived.push({ key, transcript, store: id, plain: plainId, text })
    }
  },
  purge: async (pair: Pair, { how }: Step) => {
    await pair.store.purge({ rowsMax: 1 + (how % 5) })
  },
  putBack: async (pair: Pair, { who, how }: Step) => {
    const archived = pick(how % 2 === 0 ? pair.archived.toReversed() : pair.archived, who % 3)
    if (archived === undefined) return
    const put = async (store: Store) => {
      const which = store === pair.store ? 'store' : 'plain'
      const pieces = inParts(archived.text[which], 1 + (how % 4))
      const until = how % 5 === 0 ? pieces.length - 1 : pieces.length
      for (const [part, text] of pieces.slice(0, until).entries()) {
        const last = part === pieces.length - 1
        await store.putBack({ id: archived[which], part, text, last, atMs: pair.nowMs })
      }
      return until === pieces.length
    }
    const done = await both(pair, put, (found) => found)
    if (!done?.store) return
    pair.archived = pair.archived.filter((each) => each !== archived)
    const { key, transcript } = archived
    const [, ...again] = (await exported(pair.store, key, transcript)).text.split('\n')
    const [, ...before] = archived.text.store.split('\n')
    same(again, before)
  },
  deleteSession: async (pair: Pair, step: Step) => {
    if (step.how % 4 > 0) return
    await both(pair, (store) => store.deleteSession({ key: keyOf(pair, step), atMs: pair.nowMs }), codes)
  },
  addEvent: async (pair: Pair, step: Step) => {
    const event = { key: keyOf(pair, step), code: 'NOTE', text: `n${step.how}`, atMs: pair.nowMs }
    await both(pair, (store) => store.addEvent(event), entryView)
  },
  readContext: async (pair: Pair, step: Step) => {
    const except = pick(pair.pens, step.who)?.turnId
    const query = {
      key: keyOf(pair, step),
      tokensMax: step.how * 2,
      bytesMax: 1_000_000,
      ...(step.how % 3 === 0 && except !== undefined ? { exceptTurnId: except } : {}),
    }
    await both(
      pair,
      (store) => store.readContext(query),
      ({ summary, entries, ...rest }) => ({
        summary: summary && summaryView(summary),
        entries: entries.map(entryView),
        ...rest,
      }),
    )
  },
}

async function admit(pair: Pair, input: AdmitInput): Promise<void> {
  const view = ({ turn, ...rest }: Awaited<ReturnType<Store['admitTurn']>>) => ({ turn: turnView(turn), ...rest })
  const done = await both(pair, (store) => store.admitTurn(input), view)
  if (done === null || done.store.repeated || done.store.coalesced) return
  pair.turnIds.push(done.store.turn.id)
}

/** Bytes are counted down as rows are deleted, and events have words of their own store. Of equal times any may be first. */
const factView = ({ bytes, ...facts }: SessionFacts) => facts
const kindView = ({ bytes, idlest, eldest, ...facts }: KindFacts) => ({
  ...{ ...facts, idlest: byName(idlest).map(factView), eldest: byName(eldest).map(factView) },
})
const byName = <T extends { key: SessionKey; transcript?: number }>(facts: T[]): T[] => {
  const name = ({ key, transcript }: T) => `${key} ${transcript}`
  return facts.toSorted((one, other) => (name(one) < name(other) ? -1 : 1))
}

/** Everything that can be read of both must be the same. */
async function compareAll(pair: Pair): Promise<void> {
  const order = 'oldest' as const
  const { prefix } = pair
  // of these, others with every step
  const lane = pick(laneNames, pair.ids) as LaneName
  const status = pick(waitStatuses, pair.ids >> 3) as WaitStatus
  const byKey = (leases: { sessionKey: SessionKey }[]) =>
    leases.toSorted((one, other) => (one.sessionKey < other.sessionKey ? -1 : 1))
  await Promise.all([
    both(
      pair,
      (store) => store.listSessions({ limit: 100, prefix }),
      ({ items }) => items,
    ),
    both(
      pair,
      (store) => store.listSessions({ limit: 100, prefix, state: 'archived' }),
      ({ items }) => items,
    ),
    both(pair, (store) => store.listLeases(), byKey),
    both(
      pair,
      (store) => store.listJobs({ limit: 10 }),
      ({ items }) => items,
    ),
    both(
      pair,
      (store) => store.dueJobs({ atMs: pair.nowMs, limit: 10 }),
      (due) => due,
    ),
    both(
      pair,
      (store) => store.statistics(),
      ({ bytes, lastVerify, nextDueAtMs, ...counts }) => counts,
    ),
    both(
      pair,
      (store) => store.readLanes(),
      ({ lanes, running }) => ({ lanes, running: byKey(running) }),
    ),
    both(
      pair,
      (store) => store.listWaits({ lane, status, after: null, beganByMs: pair.nowMs, limit: 100 }),
      (waits) => waits,
    ),
    both(
      pair,
      (store) => store.readQueue(pick(pair.keys, pair.ids) as SessionKey),
      (queue) => queue,
    ),
    ...pair.keys.flatMap((key) => [
      both(
        pair,
        (store) => store.listTurns({ key, order, limit: 100 }),
        ({ items }) => items.map(turnView),
      ),
      both(
        pair,
        (store) => store.readEntries({ key, order, limit: 1_000 }),
        (page) => ({ ...page, entries: page.entries.map(entryView) }),
      ),
      both(
        pair,
        (store) => store.readEntries({ key, order, limit: 1_000, shownOnly: true }),
        ({ entries }) => entries.map(({ seq }) => seq),
      ),
      both(
        pair,
        (store) => store.listSummaries(key),
        (summaries) => summaries.map(summaryView),
      ),
    ]),
  ])
}

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    verb: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<Step['verb']>('admit', 'claim', 'settle', 'append') },
      { weight: 4, arbitrary: fc.constantFrom(...(Object.keys(walks) as Step['verb'][])) },
    ),
    who: fc.nat(30),
    how: fc.nat(200),
    afterMs: fc.constantFrom(0, 1, 20, 40, 41),
  }),
  { minLength: 1, maxLength: 50, size: 'max' },
)

/** After these steps what retention sees is compared as well: reading it for each would double the time of a walk. */
const movers: ReadonlySet<Step['verb']> = new Set([
  'takeOut',
  'putBack',
  'deleteSession',
  'reset',
  'deliver',
  'recover',
])

async function compareRetention(pair: Pair): Promise<void> {
  await Promise.all([
    both(
      pair,
      (store) => store.listArchived({ limit: 100 }),
      ({ items }) => items.map(({ id, bytes, ...rest }) => rest),
    ),
    both(
      pair,
      (store) => store.readRetention({ limit: 100, activeBeforeMs: Number.MAX_SAFE_INTEGER }),
      ({ kinds, earlier, clock }) => ({ kinds: kinds.map(kindView), earlier: byName(earlier), notedMs: clock.notedMs }),
    ),
  ])
}

/** Takes the steps on both stores. @throws where they differ, with the number of the step */
export async function walk(store: Store, plain: Store, taken: readonly Step[], name = 'walk'): Promise<void> {
  const prefix = `agent:${name}:`
  const keys = ['direct:alice', 'main', 'cron:1', 'heartbeat', 'direct:bob'].map((rest) =>
    parseSessionKey(prefix + rest),
  )
  const remembered = { pens: [], turnIds: [], admissions: [], settlings: [], sending: [], archived: [] }
  const pair: Pair = { store, plain, name, prefix, keys, nowMs: 1_750_000_000_000, ids: 0, ...remembered }
  for (const [index, step] of taken.entries()) {
    pair.nowMs += step.afterMs
    try {
      await walks[step.verb](pair, step)
      await compareAll(pair)
      if (movers.has(step.verb)) await compareRetention(pair)
    } catch (error) {
      const because = error instanceof Error ? error.message : error
      throw new Error(`at step ${index + 1}, ${step.verb}: ${because}`, { cause: error })
    }
  }
  await leaveNothingOpen(pair)
}

/** So that the next walk on the same stores begins as this one did. */
async function leaveNothingOpen(pair: Pair): Promise<void> {
  for (const store of [pair.store, pair.plain]) {
    const atMs = pair.nowMs + 1
    await store.expireLeases({ holderIds: ['holder-0', 'holder-1'], handedOver: false, limit: 100, atMs })
    const { items } = await store.listTurns({ order: 'oldest', limit: 1_000, statuses: ['queued', 'interrupted'] })
    for (const { id } of items) await store.cancelTurn({ turnId: id, reason: 'the end', atMs })
    while ((await store.claimDelivery({ atMs: atMs + 1_000 })) !== null);
    await store.markUnknownDeliveries({ atMs })
    await removeAll(store, pair.name)
  }
}
