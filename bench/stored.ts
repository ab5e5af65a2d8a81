import { silentTelemetry } from '../src/engine/telemetry.ts'
import { systemClock } from '../src/host/clock.ts'
import { currentHolder } from '../src/host/process.ts'
import { timedId } from '../src/host/random.ts'
import type { NewEntry } from '../src/model/entries.ts'
import type { Holder } from '../src/model/holders.ts'
import { parseSessionKey, type SessionKey } from '../src/model/keys.ts'
import { sqliteStore } from '../src/sqlite/open.ts'
import type { Store } from '../src/store/port.ts'
import type { AdmitInput } from '../src/store/turns.ts'

const limits = { main: 100_000, subagent: 8, cron: 4, resume: 1, background: 2 }

export interface Opened {
  store: Store
  holder: Holder
}

export async function openStored(directory: string): Promise<Opened> {
  const atMs = systemClock.nowMs()
  const holder = currentHolder(atMs)
  return { store: await sqliteStore(directory)({ holder, telemetry: silentTelemetry, atMs }), holder }
}

export const benchKey = (number: number): SessionKey => parseSessionKey(`agent:main:chat:direct:${number}`)

export function admission(key: SessionKey): AdmitInput {
  return {
    key,
    turnId: timedId(systemClock.nowMs()),
    lane: 'main',
    source: 'bench',
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
export async function admitMany(store: Store, count: number, keyAt: (index: number) => SessionKey): Promise<void> {
  const inFlight = 256
  for (let from = 0; from < count; from += inFlight) {
    const size = Math.min(inFlight, count - from)
    await Promise.all(Array.from({ length: size }, (_, at) => store.admitTurn(admission(keyAt(from + at)))))
  }
}

export async function claim({ store, holder }: Opened) {
  return store.claimTurn({ holder, limits, atMs: systemClock.nowMs() })
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
