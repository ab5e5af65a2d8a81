import assert from 'node:assert/strict'
import { sha256 } from '../../host/random.ts'
import type { Entry, NewEntry } from '../../model/entries.ts'
import { type ErrorCode, type HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Holder } from '../../model/holders.ts'
import { parseSessionKey, type SessionKey } from '../../model/keys.ts'
import { type LaneName, type LaneRules, laneNames } from '../../model/lanes.ts'
import { type Message, textOf } from '../../model/messages.ts'
import type { Turn } from '../../model/turns.ts'
import type { ContextQuery, ContextSource } from '../../store/entries.ts'
import type { OpenStore, Store, StoreTelemetry } from '../../store/port.ts'
import type { AdmitInput, AdmitResult, Claim, ClaimInput, SettleInput } from '../../store/turns.ts'
import type { VerifyReport } from '../../store/upkeep.ts'

/** Where one test keeps its data. */
export interface StoreGround {
  /** Opens a store on the data of this ground; after a close, again, with what was kept. */
  openStore: OpenStore
  /** A directory for `backup`, which does not exist yet; null where the server makes the backups, and `backup` says so. */
  backupDirectory: string | null
  dispose(): Promise<void>
}

/** Tests by the promise that each proves. */
export type PromiseGroup = Record<string, (scene: Scene) => Promise<void>>

/** What a writer must name: who it is and what it has seen. */
export interface Pen {
  key: SessionKey
  turnId: string
  fence: number
  head: number
}

/** Rules with this concurrency, 0 where none is given; nothing is kept for users, one source may fill a lane, nobody is patient. */
export function lanesOf(
  concurrency: Partial<Record<LaneName, number>>,
  more: Partial<Omit<LaneRules, 'lanes'>> & { patienceMs?: Partial<Record<LaneName, number>> } = {},
): LaneRules {
  const { patienceMs = {}, ...rules } = more
  const rule = (name: LaneName) => ({
    concurrency: concurrency[name] ?? 0,
    patienceMs: patienceMs[name] ?? 0,
    waitLimitMs: 1_000,
  })
  const lanes = Object.fromEntries(laneNames.map((name) => [name, rule(name)])) as LaneRules['lanes']
  return { slots: 1_000, userSlots: 0, sourceShare: 1, ...rules, lanes }
}

export const openLanes = lanesOf({ main: 64, subagent: 64, cron: 64, resume: 64, background: 64 })
export const closedLanes = lanesOf({})
export const alice = parseSessionKey('alice')
export const bob = parseSessionKey('bob')

const silent: StoreTelemetry = { verb: () => {}, commit: () => {}, writable: () => {} }

export function holderNamed(name: string): Holder {
  return { id: name, host: 'here', bootId: 'boot', pidNamespace: 'pid:[1]', pid: 7, startTicks: 9, sinceMs: 1 }
}

/** A store with the words to use it in a line. Ids count up; time stands still until `nowMs` is set. */
export class Scene {
  readonly ground: StoreGround
  readonly holder: Holder
  store: Store
  nowMs: number
  #ids = 0

  private constructor(ground: StoreGround, holder: Holder, store: Store, nowMs: number) {
    this.ground = ground
    this.holder = holder
    this.store = store
    this.nowMs = nowMs
  }

  static async open(ground: StoreGround, nowMs = 1_750_000_000_000): Promise<Scene> {
    const holder = holderNamed('holder-1')
    return new Scene(ground, holder, await ground.openStore({ holder, telemetry: silent, atMs: nowMs }), nowMs)
  }

  /** As after a restart: the same data, another holder. */
  async reopen(holder: Holder = holderNamed('holder-2')): Promise<void> {
    await this.store.close()
    this.store = await this.ground.openStore({ holder, telemetry: silent, atMs: this.nowMs })
  }

  nextId(word: string): string {
    this.#ids += 1
    return `${word}-${this.#ids}`
  }

  admission(key: SessionKey, text: string, more: Partial<AdmitInput> = {}): AdmitInput {
    const messages: Message[] = more.messages ?? [{ role: 'user', content: text }]
    return {
      key,
      turnId: this.nextId('turn'),
      lane: 'main',
      source: 'test',
      dedupeKey: null,
      digest: sha256(JSON.stringify(messages)),
      messages,
      tokens: messages.map((message) => textOf(message).length),
      request: { instructions: [], params: {}, streaming: false },
      onBusy: 'queue',
      coalesceMs: 1_000,
      coalesceTokensMax: 10_000,
      queuedMax: { session: 100, total: 1_000 },
      atMs: this.nowMs,
      ...more,
    }
  }

  admit(key: SessionKey, text: string, more: Partial<AdmitInput> = {}): Promise<AdmitResult> {
    return this.store.admitTurn(this.admission(key, text, more))
  }

  tryClaim(more: Partial<ClaimInput> = {}): Promise<Claim | null> {
    return this.store.claimTurn({ holder: this.holder, rules: openLanes, atMs: this.nowMs, ...more })
  }

  async claim(more: Partial<ClaimInput> = {}): Promise<Claim> {
    const claim = await this.tryClaim(more)
    assert.ok(claim !== null, 'a turn should be ready')
    return claim
  }

  /** Admits and claims; nothing else may be ready. */
  async begin(key: SessionKey, text: string, more: Partial<AdmitInput> = {}): Promise<Claim> {
    const { turn } = await this.admit(key, text, more)
    const claim = await this.claim()
    assert.equal(claim.turn.id, turn.id)
    return claim
  }

  entry(text: string, more: Partial<NewEntry> = {}): NewEntry {
    const body: Message = { role: 'assistant', content: text }
    return { id: this.nextId('entry'), kind: 'assistant', body, tokens: text.length, ...more }
  }

  settling(pen: Pen, reply: string | null, more: Partial<SettleInput> = {}): SettleInput {
    return {
      key: pen.key,
      turnId: pen.turnId,
      fence: pen.fence,
      head: pen.head,
      status: 'done',
      entries: reply === null ? [] : [this.entry(reply)],
      outcome: null,
      finishReason: 'stop',
      usage: null,
      meterRatio: null,
      atMs: this.nowMs,
      ...more,
    }
  }

  settle(claim: Claim, reply: string | null, more: Partial<SettleInput> = {}): Promise<Turn> {
    return this.store.settleTurn(this.settling(penOf(claim), reply, more))
  }

  /** A whole turn: admitted, run and answered. */
  async say(key: SessionKey, text: string, reply: string | null, more: Partial<SettleInput> = {}): Promise<Turn> {
    return this.settle(await this.begin(key, text), reply, more)
  }

  async append(pen: Pen, ...texts: string[]): Promise<Pen> {
    const entries = texts.map((text) => this.entry(text))
    const { head } = await this.store.appendEntries({ ...pen, entries, atMs: this.nowMs })
    return { ...pen, head }
  }

  async entries(key: SessionKey, transcript?: number): Promise<Entry[]> {
    const found: Entry[] = []
    let after: number | null = 0
    while (after !== null) {
      const slice: { transcript?: number } = transcript === undefined ? {} : { transcript }
      const page = await this.store.readEntries({ key, ...slice, order: 'oldest', after, limit: 100 })
      found.push(...page.entries)
      after = page.next
    }
    return found
  }

  context(key: SessionKey, more: Partial<ContextQuery> = {}): Promise<ContextSource> {
    return this.store.readContext({ key, tokensMax: 1_000_000, bytesMax: 1_000_000, ...more })
  }

  async session(key: SessionKey) {
    const session = await this.store.readSession(key)
    assert.ok(session !== null, `there should be a session ${key}`)
    return session
  }

  async turn(turnId: string): Promise<Turn> {
    const detail = await this.store.readTurn(turnId)
    assert.ok(detail !== null, `there should be a turn ${turnId}`)
    return detail.turn
  }
}

export function penOf(claim: Claim): Pen {
  return { key: claim.turn.sessionKey, turnId: claim.turn.id, fence: claim.fence, head: claim.head }
}

export const wordsOf = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => (entry.kind === 'event' ? '(event)' : textOf(entry.body as Message)))

/** Fails unless the call is refused with this code; gives the error. */
export async function refused(code: ErrorCode, call: Promise<unknown>): Promise<HoldfastError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) assert.fail(`should be refused with ${code}, but gave ${JSON.stringify(outcome.value)}`)
  if (!isHoldfastError(outcome.error)) throw outcome.error
  assert.equal(outcome.error.code, code)
  return outcome.error
}

/** Every page of a listing, `onPage` between two of them. */
export async function allPages<T>(
  read: (after: { after?: string }) => Promise<{ items: T[]; next: string | null }>,
  onPage: (page: number) => Promise<void> = async () => {},
): Promise<T[]> {
  const found: T[] = []
  let after: { after?: string } = {}
  for (let page = 1; page <= 1_000; page += 1) {
    const { items, next } = await read(after)
    found.push(...items)
    if (next === null) return found
    await onPage(page)
    after = { after: next }
  }
  throw new assert.AssertionError({ message: 'the pages never end' })
}

/** What is wrong with the store by its own check; one line each. */
export function problemsOf(report: VerifyReport): string[] {
  return report.checks.flatMap((check) => check.problems.map((problem) => `${check.name}: ${problem}`))
}
