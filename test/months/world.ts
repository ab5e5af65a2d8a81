import { createHash } from 'node:crypto'
import { setTimeout as afterMs } from 'node:timers/promises'
import { type Holdfast, openHoldfast } from '../../src/engine/holdfast.ts'
import { DeliveryRefused, type RunningTurn } from '../../src/engine/runner.ts'
import { isHoldfastError } from '../../src/model/errors.ts'
import type { SessionKey } from '../../src/model/keys.ts'
import { textOf } from '../../src/model/messages.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import { ManualClock } from '../../src/testing/clock.ts'
import { chanceFrom } from '../power/chance.ts'
import { filler, isPoison, type Saying, sayings, someDirect } from './acts.ts'
import { Calls } from './calls.ts'
import { bodyOf, exportOf } from './exports.ts'
import type { Fact, Pen } from './journal.ts'
import { dayMs, hourMs, minuteMs, settings } from './policy.ts'
import { keepManifests } from './shelf.ts'
import type { Span } from './span.ts'

const yearMs = 365 * dayMs
/** An engine on a manual clock, people who write to it, and a journal of what it has acknowledged. */
export class World {
  readonly #directory: string
  readonly #span: Span
  readonly #pen: Pen
  readonly #mark: (act: string) => void
  readonly #chance: () => number
  readonly #clock: ManualClock
  readonly #calls = new Calls()
  readonly #over = new AbortController()
  readonly #pinned: Set<SessionKey>
  #engine!: Holdfast
  #lastSweep: Holdfast['retention']['state']['last'] = null
  #said = 0
  #saidUntilMs: number

  /** `mark` tells the outside where it is: some of these moments are chosen to kill it. */
  constructor(directory: string, span: Span, pen: Pen, mark: (act: string) => void) {
    this.#directory = directory
    this.#span = span
    this.#pen = pen
    this.#mark = mark
    this.#chance = chanceFrom(span.seed)
    this.#clock = new ManualClock(span.startMs)
    this.#pinned = new Set(span.pinned)
    this.#saidUntilMs = span.beforeMs
  }

  async play(): Promise<void> {
    const directory = this.#directory
    this.#note({ is: 'start', atMs: this.#nowMs })
    const open = sqliteStore(directory, { synchronous: 'unsafe-for-tests', diskReserveBytes: 0 })
    this.#engine = await openHoldfast({
      store: this.#calls.counting(open, this.#mark),
      run: (turn) => this.#run(turn),
      deliver: async () => {
        if (this.#chance() < 0.2) throw new DeliveryRefused('the channel is down')
      },
      archives: directory,
      clock: this.#clock,
      settings,
    })
    const listening = this.#listen()
    for (const { key, turnId } of this.#span.open) void this.#follow(key, turnId)
    await this.#hire()
    let nextSweepMs = this.#nowMs + this.#chance() * 2 * dayMs
    let nextUndoMs = this.#nowMs + this.#chance() * 10 * dayMs
    let nextDayMs = this.#nowMs + dayMs
    while (this.#nowMs < this.#span.endMs) {
      await this.#stride((20 + this.#chance() * 160) * minuteMs)
      if (this.#nowMs > nextSweepMs) {
        await this.#sweep()
        nextSweepMs = this.#nowMs + this.#chance() * 4 * dayMs
      }
      if (this.#nowMs > nextUndoMs) {
        await this.#undo()
        nextUndoMs = this.#nowMs + 10 * dayMs
      }
      if (this.#nowMs > nextDayMs) {
        await this.#housekeeping()
        nextDayMs += dayMs
      }
    }
    if (this.#span.jumps) await this.#jump()
    await this.#stride(6 * minuteMs, true) // a sweep rests for five
    await this.#sweep()
    this.#over.abort()
    const closing = this.#engine.close()
    while (await Promise.race([closing.then(() => false), afterMs(2, true)])) await this.#clock.advance(1_000)
    await listening
    this.#note({ is: 'closed', atMs: this.#nowMs })
  }

  get #nowMs(): number {
    return this.#clock.nowMs()
  }

  #note(fact: Fact): void {
    this.#pen.note(fact)
  }

  /** Time passes, what has fallen due happens, and people write. */
  async #stride(ms: number, quiet = false): Promise<void> {
    await this.#clock.leap(Math.ceil(ms))
    await this.#rest()
    this.#mark('stride')
    if (!quiet) {
      const { worldMs, scale } = this.#span
      const toMs = this.#nowMs
      const all = sayings(this.#saidUntilMs - worldMs, toMs - worldMs, scale, this.#chance)
      this.#saidUntilMs = toMs
      for (const saying of all) void this.#say(saying)
      await this.#rest()
    }
    this.#note({ is: 'time', atMs: this.#nowMs })
  }

  async #say({ key, length }: Saying): Promise<void> {
    const { name, slowShare } = this.#span
    this.#said += 1
    const words = `${name}-${this.#said}.`
    const text = `${words} ${filler(length, this.#chance)}`
    const takesMs = this.#chance() < slowShare ? Math.ceil((0.5 + this.#chance() * 9) * hourMs) : 0
    const poison = this.#span.poison && isPoison(key)
    const deliverTo = this.#chance() < 0.2 ? ['telegram'] : []
    const onBusy = this.#chance() < 0.1 ? 'interrupt' : 'queue'
    this.#note({ is: 'asks', key, words, atMs: this.#nowMs })
    const { turn, begunTranscript } = await this.#engine.submit({
      key,
      messages: text,
      params: { takesMs, poison, length: Math.ceil(this.#chance() * length) },
      source: words.slice(0, 8),
      dedupeKey: words,
      deliverTo,
      onBusy,
    })
    this.#note({ is: 'accepted', key, words, turnId: turn.id, begun: begunTranscript, atMs: this.#nowMs })
  }

  async #run({ id: turnId, sessionKey: key, attempt, messages, params, signal }: RunningTurn): Promise<string> {
    this.#note({ is: 'runs', key, turnId, attempt, atMs: this.#nowMs })
    const {
      takesMs = 0,
      poison = false,
      length = 100,
    } = params as { takesMs?: number; poison?: boolean; length?: number }
    if (poison) process.kill(process.pid, 'SIGKILL')
    if (takesMs > 0) await this.#clock.sleep(takesMs, signal)
    if (this.#chance() < 0.01) throw new Error('the model has no answer')
    const [words] = textOf(messages[0] as RunningTurn['messages'][number]).split(' ')
    return `re: ${words} ${filler(length, this.#chance)}`
  }

  async #listen(): Promise<void> {
    for await (const item of this.#engine.events.subscribe(null, this.#over.signal)) {
      if ('gap' in item) throw new Error('events were missed')
      const { event } = item
      if (event.type !== 'turn.settled') continue
      const { sessionKey: key, turnId, status, outcome } = event
      this.#note({ is: 'ended', key, turnId, status, code: outcome?.code ?? null, atMs: this.#nowMs })
    }
  }

  /** A turn of an earlier span: perhaps it ended, and nobody was told. */
  async #follow(key: SessionKey, turnId: string): Promise<void> {
    const detail = await this.#engine.store.readTurn(turnId)
    const { status = 'gone', settledAtMs = null, outcome = null } = detail?.turn ?? {}
    if (detail !== null && settledAtMs === null) return
    const atMs = settledAtMs ?? this.#nowMs
    this.#note({ is: 'ended', key, turnId, status, code: outcome?.code ?? null, atMs })
  }

  async #hire(): Promise<void> {
    const times = { hourly: '11 * * * *', office: '*/30 8-18 * * 1-5', nightly: '30 3 * * *' }
    const missed = { hourly: 'once', office: 'all', nightly: 'skip' } as const
    for (const [id, schedule] of Object.entries(times)) {
      const spec = { id, name: id, schedule, timeZone: 'Europe/Vienna', messages: `the ${id} job` }
      await this.#engine.jobs.put({ ...spec, missed: missed[id as keyof typeof missed], replace: true })
    }
  }

  /** Pins, resets, and what the process weighs. */
  async #housekeeping(): Promise<void> {
    const { store } = this.#engine
    const known = someDirect(this.#saidUntilMs - this.#span.worldMs, this.#span.scale, this.#chance)
    const [pinned] = this.#pinned
    const session = await store.readSession(known)
    if (session !== null && !session.pinned) {
      await store.patchSession({ key: known, pinned: true, atMs: this.#nowMs })
      this.#note({ is: 'pinned', key: known, atMs: this.#nowMs })
      this.#pinned.add(known)
    }
    if (pinned !== undefined && this.#pinned.size > 12) {
      this.#note({ is: 'unpins', key: pinned, atMs: this.#nowMs })
      this.#pinned.delete(pinned)
      await store.patchSession({ key: pinned, pinned: false, atMs: this.#nowMs })
    }
    const { items } = await store.listSessions({ kind: 'main', limit: 1 })
    for (const { key } of items) {
      this.#note({ is: 'resets', key, atMs: this.#nowMs })
      await this.#engine.reset(key, 'a new week')
    }
    await this.#rest()
    keepManifests(this.#directory, `${this.#directory}.manifests`)
    globalThis.gc?.()
    const { heapUsed: heapBytes, rss: residentBytes } = process.memoryUsage()
    this.#note({ is: 'memory', atMs: this.#nowMs, heapBytes, residentBytes })
  }

  /** By hand: what is to go is looked at before. */
  async #sweep(): Promise<void> {
    if (this.#engine.retention.state.busy) return
    await this.#whileItRuns(async () => {
      try {
        for await (const event of this.#engine.retention.sweep({ apply: false, trustClock: false })) {
          if (event.type === 'done' || event.step.kind !== 'take out') continue
          const { key, transcripts } = event.step
          for (const transcript of transcripts) await this.#copy(key, transcript)
        }
        for await (const _ of this.#engine.retention.sweep({ apply: true, trustClock: false })) {
          // it is noted by its report
        }
      } catch (error) {
        if (isHoldfastError(error, 'RETENTION_BUSY')) return
        if (!isHoldfastError(error, 'CLOCK_SUSPECT')) throw error
        this.#note({ is: 'suspect', because: String(error.facts.because), atMs: this.#nowMs })
      }
    })
  }

  async #copy(key: SessionKey, transcript: number): Promise<void> {
    const text = await exportOf(this.#engine.store, { key, transcript })
    if (text === null) return
    const sha256 = createHash('sha256').update(bodyOf(text)).digest('hex')
    this.#note({ is: 'copied', key, transcript, sha256, atMs: this.#nowMs })
  }

  /** Somebody was too hasty: what the last sweeps took out comes back. */
  async #undo(): Promise<void> {
    const { items } = await this.#engine.store.listArchived({ limit: 100 })
    const folder = items[Math.floor(this.#chance() * items.length)]?.sweep
    if (folder === undefined) return
    this.#note({ is: 'undoes', folder, atMs: this.#nowMs })
    await this.#whileItRuns(async () => {
      const { restored, conflicts } = await this.#engine.retention.undo(folder)
      if (conflicts.length > 0) throw new Error(`${conflicts.length} conflicts in ${folder}`)
      this.#note({ is: 'undone', folder, transcripts: restored.length, atMs: this.#nowMs })
    })
  }

  async #jump(): Promise<void> {
    for (const byMs of [yearMs, -yearMs]) {
      this.#clock.jumpWall(byMs)
      this.#note({ is: 'jumped', byMs, atMs: this.#nowMs })
      for (let hours = 0; hours < 20; hours += 1) {
        await this.#stride(hourMs, true)
        if (hours % 6 === 1) await this.#sweep()
      }
    }
    for (let hours = 0; hours < 12; hours += 1) await this.#stride(hourMs, true)
  }

  /** Until nothing happens any more before time passes; a sweep that is going on is at its end. */
  async #rest(): Promise<void> {
    await this.#calls.rest(this.#clock, () => this.#engine.retention.state.busy)
    const { last } = this.#engine.retention.state
    if (last === null || last === this.#lastSweep) return
    this.#lastSweep = last
    const { atMs, transcripts, deleted, toTrash, stayed, more, overBudget } = last
    this.#note({ is: 'swept', atMs, transcripts, deleted, toTrash, stayed, more, over: overBudget !== null })
  }

  async #whileItRuns(act: () => Promise<void>): Promise<void> {
    let isOver = false
    const acting = act().finally(() => {
      isOver = true
    })
    do await this.#rest()
    while (!isOver)
    await acting
  }
}
