import { silentTelemetry } from '../src/engine/telemetry.ts'
import { systemClock } from '../src/host/clock.ts'
import { currentHolder } from '../src/host/process.ts'
import { timedId } from '../src/host/random.ts'
import { defaultLaneRules } from '../src/lanes/rules.ts'
import type { NewEntry } from '../src/model/entries.ts'
import type { Holder } from '../src/model/holders.ts'
import { parseSessionKey, type SessionKey } from '../src/model/keys.ts'
import type { LaneRules } from '../src/model/lanes.ts'
import { sqliteStore } from '../src/sqlite/open.ts'
import type { OpenStore, Store } from '../src/store/port.ts'
import type { AdmitInput, Claim } from '../src/store/turns.ts'

const rules: LaneRules = {
  ...defaultLaneRules,
  slots: 100_000,
  lanes: { ...defaultLaneRules.lanes, main: { ...defaultLaneRules.lanes.main, concurrency: 90_000 } },
}

export interface Opened {
  store: Store
  holder: Holder
}

/** `onCommit` hears how long each commit held the writer. */
export function openStored(directory: string, onCommit?: (ms: number) => void): Promise<Opened> {
  return openWith(sqliteStore(directory), onCommit)
}

export async function openWith(openStore: OpenStore, onCommit: (ms: number) => void = () => {}): Promise<Opened> {
  const atMs = systemClock.nowMs()
  const holder = currentHolder(atMs)
  return { store: await openStore({ holder, telemetry: { ...silentTelemetry, commit: onCommit }, atMs }), holder }
}

export const benchKey = (number: number): SessionKey => parseSessionKey(`agent:main:chat:direct:${number}`)

export function admission(key: SessionKey, source = 'bench'): AdmitInput {
  return {
    key,
    turnId: timedId(systemClock.nowMs()),
    lane: 'main',
    source,
    dedupeKey: null,
    digest: 'bench',
    messages: [{ role: 'user', content: 'A message.' }],
    tokens: [4],
    request: { instructions: [], params: {}, streaming: false },
    onBusy: 'queue',
    coalesceMs: 0,
    coalesceTokensMax: 0,
    queuedMax: { session: 1_000_000, total: 1_000_000 },
    atMs: systemClock.nowMs(),
  }
}

/** Admits one turn for each of `count` sessions, `inFlight` at a time. */
export async function admitMany(
  store: Store,
  count: number,
  keyAt: (index: number) => SessionKey,
  sourceOf: (key: SessionKey) => string = () => 'bench',
): Promise<void> {
  const inFlight = 256
  for (let from = 0; from < count; from += inFlight) {
    const size = Math.min(inFlight, count - from)
    const keys = Array.from({ length: size }, (_, at) => keyAt(from + at))
    await Promise.all(keys.map((key) => store.admitTurn(admission(key, sourceOf(key)))))
  }
}

export async function claim({ store, holder }: Opened) {
  return store.claimTurn({ holder, rules, atMs: systemClock.nowMs() })
}

/** Ends a claimed turn with a short answer. */
export async function answer({ store }: Opened, { turn, fence, head }: Claim): Promise<void> {
  const atMs = systemClock.nowMs()
  await store.settleTurn({
    key: turn.sessionKey,
    turnId: turn.id,
    fence,
    head,
    status: 'done',
    entries: [{ id: timedId(atMs), kind: 'assistant', body: { role: 'assistant', content: 'An answer.' }, tokens: 4 }],
    outcome: null,
    finishReason: 'stop',
    usage: null,
    meterRatio: null,
    atMs,
  })
}

/** Words, quotes, accents and line ends, as people and models write them: each costs JSON something else. */
const text =
  'She said "after lunch", and then nobody came.\nThe café on the corner – closed since May – has a new sign. '

export function entryOf(bytes: number): NewEntry {
  const content = text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes)
  return {
    id: timedId(systemClock.nowMs()),
    kind: 'assistant',
    body: { role: 'assistant', content },
    tokens: bytes / 4,
  }
}

/** A session whose turn runs: it can append, as a runner does. */
export class Writer {
  readonly key: SessionKey
  readonly #store: Store
  readonly #turnId: string
  readonly #fence: number
  #head: number

  private constructor(store: Store, claimed: NonNullable<Awaited<ReturnType<typeof claim>>>) {
    this.key = claimed.turn.sessionKey
    this.#store = store
    this.#turnId = claimed.turn.id
    this.#fence = claimed.fence
    this.#head = claimed.head
  }

  static async start(opened: Opened, number: number): Promise<Writer> {
    await opened.store.admitTurn(admission(benchKey(number)))
    const claimed = await claim(opened)
    if (claimed === null) throw new Error('nothing to claim')
    return new Writer(opened.store, claimed)
  }

  async append(entries: NewEntry[]): Promise<void> {
    const place = { key: this.key, turnId: this.#turnId, fence: this.#fence, head: this.#head }
    this.#head = (await this.#store.appendEntries({ ...place, entries, atMs: systemClock.nowMs() })).head
  }
}
