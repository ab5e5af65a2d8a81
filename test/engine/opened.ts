import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { type Holdfast, type HoldfastOptions, openHoldfast } from '../../src/engine/holdfast.ts'
import type { Deliver, Runner, RunningTurn } from '../../src/engine/runner.ts'
import type { PartialSettings } from '../../src/engine/settings.ts'
import { silentTelemetry, type Telemetry } from '../../src/engine/telemetry.ts'
import type { SubmitInput } from '../../src/engine/turns/ask.ts'
import { type ErrorCode, HoldfastError } from '../../src/model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { type Message, textOf } from '../../src/model/messages.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { OpenStore, Store, StoreVerbs } from '../../src/store/port.ts'

/** Short enough for tests that wait for them, long enough for a busy machine not to run into them. */
export const shortLimits: PartialSettings = {
  turns: { timeLimitMs: 20_000, stallLimitMs: 20_000, graceMs: 100, coalesceMs: 150 },
  delivery: { attemptsMax: 3, backoffMs: { first: 10, max: 50 }, timeLimitMs: 200 },
}

export interface Data {
  directory: string
  open(options: Partial<HoldfastOptions> & Pick<HoldfastOptions, 'run'>): Promise<Holdfast>
}

/** A new data directory on real SQLite. When the test ends, its engines are closed and the store's invariants checked. */
export async function newData(): Promise<Data> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-engine-'))
  const opened: Holdfast[] = []
  onTestFinished(async () => {
    const running = opened.findLast((engine) => !engine.health().draining)
    const last = running ?? (await openHoldfast({ store: sqliteStore(directory), run: null }))
    const report = await last.store.verify({ quick: false, atMs: Date.now() })
    await Promise.all([last, ...opened].map((engine) => engine.close()))
    await rm(directory, { recursive: true })
    expect(report.checks.filter((check) => !check.ok)).toEqual([])
  })
  const open: Data['open'] = async (options) => {
    const engine = await openHoldfast({ store: sqliteStore(directory), settings: shortLimits, ...options })
    opened.push(engine)
    return engine
  }
  return { directory, open }
}

/** One engine for all tests of a file, each with a session and a runner of its own: opening costs more than most tests. */
export function stage(options: { wrap?: (open: OpenStore) => OpenStore; deliver?: Deliver } = {}) {
  const { wrap = (open) => open, ...rest } = options
  const runners = new Map<string, Runner>()
  const counted = counting()
  let directory: string
  let engine: Holdfast
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-engine-'))
    engine = await openHoldfast({
      store: wrap(sqliteStore(directory)),
      run: (turn) => (runners.get(turn.sessionKey) ?? echo)(turn),
      settings: shortLimits,
      telemetry: counted.telemetry,
      ...rest,
    })
  })
  afterAll(async () => {
    const report = await engine.store.verify({ quick: false, atMs: Date.now() })
    await engine.close()
    await rm(directory, { recursive: true })
    expect(report.checks.filter((check) => !check.ok)).toEqual([])
  })
  return (run: Runner) => {
    const key = parseSessionKey(`s${runners.size + 1}`)
    runners.set(key, run)
    return { key, counted, ...talk(engine, key) }
  }
}

/** A session of an engine, and what tests do with it. */
export function talk(engine: Holdfast, key: SessionKey) {
  const submit = (text: string, more: Partial<SubmitInput> = {}) => engine.submit({ key, messages: text, ...more })
  return {
    engine,
    submit,
    ask: async (text: string, more: Partial<SubmitInput> = {}) => engine.settled((await submit(text, more)).turn.id),
    transcript: async () => {
      const { entries } = await engine.store.readEntries({ key, order: 'oldest', limit: 200 })
      return entries.map((entry) => (entry.kind === 'event' ? `(${entry.body.code})` : textOf(entry.body as Message)))
    },
  }
}

/** Limits on top of the short ones. */
export function withTurns(turns: NonNullable<PartialSettings['turns']>): PartialSettings {
  return { ...shortLimits, turns: { ...shortLimits.turns, ...turns } }
}

/** Answers with the words it was sent. */
export const echo = async (turn: RunningTurn): Promise<string> => `echo: ${turn.messages.map(textOf).join(' + ')}`

/** Ends when its signal does, and in no other way. */
export function untilAborted(turn: RunningTurn): Promise<never> {
  return new Promise((_, reject) => {
    turn.signal.addEventListener('abort', () => reject(turn.signal.reason), { once: true })
  })
}

/** A runner whose turns wait for the test. */
export function gate() {
  const begun: RunningTurn[] = []
  const gates = new Map<string, PromiseWithResolvers<string>>()
  const of = (text: string) => {
    const found = gates.get(text) ?? Promise.withResolvers<string>()
    gates.set(text, found)
    return found
  }
  const wordsOf = (turn: RunningTurn) => turn.messages.map(textOf).join(' + ')
  return {
    begun,
    words: () => begun.map(wordsOf),
    /** Ends when released, whatever its signal says. */
    run: (turn: RunningTurn) => {
      begun.push(turn)
      return of(wordsOf(turn)).promise
    },
    release: (text: string) => of(text).resolve(`answer to ${text}`),
  }
}

export interface Fault {
  verb: keyof StoreVerbs
  /** How many calls fail, from now on. */
  times: number
  code: ErrorCode
  /** Whether the verb is carried out all the same: an unknown outcome. A claim of nothing does not count. */
  after?: boolean
}

/** The real store, whose verbs give an error as long as `faults` says so. */
export function faulty(open: OpenStore, faults: Fault[]): OpenStore {
  return async (input) => {
    const store = await open(input)
    return new Proxy(store, {
      get(target, name) {
        const verb = Reflect.get(target, name)
        if (typeof verb !== 'function') return verb
        return async (...args: unknown[]) => {
          const fault = faults.find((each) => each.verb === name && each.times > 0)
          if (fault === undefined) return verb.apply(target, args)
          const given = fault.after === true ? await verb.apply(target, args) : undefined
          if (given === null) return given
          fault.times -= 1
          throw new HoldfastError(fault.code)
        }
      },
    })
  }
}

/** The store that an engine was opened on, to be closed under it: the nearest thing to a crash within a process. */
export function crashable(open: OpenStore): { open: OpenStore; crash(): Promise<void> } {
  let store: Store | null = null
  return {
    open: async (input) => {
      store = await open(input)
      return store
    },
    crash: async () => store?.close(),
  }
}

export interface Counted {
  telemetry: Telemetry
  fenced: number
  waits: { cause: string; ms: number }[]
  settled: string[]
}

export function counting(): Counted {
  const counted: Counted = { telemetry: silentTelemetry, fenced: 0, waits: [], settled: [] }
  counted.telemetry = {
    ...silentTelemetry,
    turnFenced: () => {
      counted.fenced += 1
    },
    turnWaited: (_, cause, ms) => counted.waits.push({ cause, ms }),
    turnSettled: (_, status, code) => counted.settled.push(code ?? status),
  }
  return counted
}

/** Waits until it holds; for what happens in the background. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 15_000
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error('it did not happen within 15 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
