import { buildContext } from '../../compaction/context.ts'
import { countParams } from '../../compaction/meter.ts'
import type { Entry } from '../../model/entries.ts'
import { isHoldfastError } from '../../model/errors.ts'
import type { Message } from '../../model/messages.ts'
import { cutText } from '../../model/text.ts'
import type { Claim } from '../../store/turns.ts'
import { type Ground, persist } from '../ground.ts'
import type { AnswerDelta, Runner, RunningTurn } from '../runner.ts'
import { roomTokens } from '../settings.ts'
import { pause } from '../waiting.ts'
import { limitsOf, watchLimits } from './limits.ts'
import type { Live } from './live.ts'
import { entriesOf, readMessages, readReply } from './reply.ts'
import { type Cut, type Ending, reasonOf } from './verdict.ts'

/** Progress is written down this often at most: a lease that others read needs no more. */
const recordEveryMs = 5_000
/** Of a note, in UTF-16 units: one line for people. */
const noteLengthMax = 200
/** Of history for one context: more than the largest context windows hold as text. */
const contextBytesMax = 16 * 1024 ** 2

/** What `why` tells of a running turn. */
export interface RunProgress {
  sinceMs: number
  atMs: number
  note: string
  /** Called stuck by whoever watches. */
  stuck: boolean
}

/** One attempt at one turn: runs it, minds its limits, cuts it off. What becomes of it then is for others. */
export class TurnRun {
  readonly claim: Claim
  readonly #ground: Ground
  readonly #live: Live
  readonly #abort = new AbortController()
  readonly #cutOff = Promise.withResolvers<Ending>()
  #cut: Cut | null = null
  #appending: Promise<unknown> = Promise.resolve()
  #progress: Omit<RunProgress, 'stuck'>
  #progressSteadyMs: number
  #recordedSteadyMs: number
  #fenced = false
  /** The last `seq` that this attempt knows of; its writes name it. */
  head: number
  /** Entries written so far; numbers their ids. */
  entriesWritten = 0
  /** By the meter, uncorrected: what the model was asked with. */
  contextTokens = 0

  constructor(ground: Ground, live: Live, claim: Claim) {
    this.#ground = ground
    this.#live = live
    this.claim = claim
    this.head = claim.head
    const nowMs = ground.clock.nowMs()
    this.#progress = { sinceMs: nowMs, atMs: nowMs, note: 'started' }
    this.#progressSteadyMs = ground.clock.steadyMs()
    this.#recordedSteadyMs = this.#progressSteadyMs
  }

  get cutBy(): Cut | null {
    return this.#cut
  }

  get progress(): RunProgress {
    return { ...this.#progress, stuck: this.#ground.lookout.isStuck(this.claim.turn.id) }
  }

  /** Never rejects. */
  async run(runner: Runner): Promise<Ending> {
    const { clock, settings, background } = this.#ground
    const watching = new AbortController()
    background.run('limits', () =>
      watchLimits({
        clock,
        limits: () => limitsOf(settings, this.claim.turn.lane),
        progressAtMs: () => this.#progressSteadyMs,
        cut: (cut) => this.cut(cut),
        signal: watching.signal,
      }),
    )
    const answer = this.#answer(runner)
    const ending = await Promise.race([answer, this.#cutOff.promise])
    watching.abort()
    if (ending.kind === 'ignored') void answer.then(() => this.#endedLate())
    return ending
  }

  /** Tells the runner to stop; after the grace period its turn goes on without it. The first cut counts, but a lost fence always. */
  cut(cut: Cut): void {
    if (this.#cut === null) {
      this.#cut = cut
      this.#abort.abort(reasonOf(cut))
      this.#ground.background.run('grace', () => this.#grace())
    } else if (cut.kind === 'fenced') {
      this.#cut = cut
    }
  }

  /** The store has refused a write of this attempt: somebody else has the session, or the turn has ended. */
  refused(): void {
    this.cut({ kind: 'fenced', because: 'its write was refused' })
    this.fenced('its write was refused')
  }

  /** The runner works on for nothing, and none of its writes are taken. Counted once. */
  fenced(because: string): void {
    if (this.#fenced) return
    this.#fenced = true
    const { turn } = this.claim
    this.#ground.telemetry.turnFenced()
    this.#ground.events.publish({ type: 'turn.fenced', sessionKey: turn.sessionKey, turnId: turn.id, because })
    this.#ground.log.warn({ turnId: turn.id, sessionKey: turn.sessionKey, because }, 'a runner was fenced off')
  }

  async #grace(): Promise<void> {
    await pause(this.#ground.clock, this.#ground.settings.turns.graceMs, this.#ground.over)
    this.#cutOff.resolve({ kind: 'ignored' })
  }

  #endedLate(): void {
    const { turn } = this.claim
    this.#ground.log.info({ turnId: turn.id, sessionKey: turn.sessionKey }, 'a runner that was fenced off has ended')
  }

  async #answer(runner: Runner): Promise<Ending> {
    try {
      const result = await runner(await this.#ask())
      const reply = readReply(result)
      if (reply.replaced > 0) this.#ground.telemetry.surrogatesReplaced(reply.replaced)
      await this.#appending.catch(() => {}) // whoever appended was told; an append that is under way moves the head
      return { kind: 'returned', reply }
    } catch (error) {
      return { kind: 'threw', error }
    }
  }

  async #ask(): Promise<RunningTurn> {
    const { store, settings, telemetry } = this.#ground
    const { turn, inbound, request, session } = this.claim
    const { meterRatio } = session
    const messages = inbound.flatMap((each) => each.messages)
    const paramsTokens = countParams(request.params)
    const room = roomTokens(settings.context) - Math.ceil(paramsTokens * meterRatio)
    const source = await store.readContext({
      key: turn.sessionKey,
      exceptTurnId: turn.id,
      tokensMax: Math.max(1, Math.ceil(room / meterRatio)),
      bytesMax: contextBytesMax,
    })
    const { instructions } = request
    const context = buildContext({ source, instructions, messages, roomTokens: room, meterRatio })
    if (context.entriesLeftOut > 0) telemetry.contextCut(context.entriesLeftOut)
    this.contextTokens = context.tokens + paramsTokens
    return {
      id: turn.id,
      sessionKey: turn.sessionKey,
      attempt: turn.attempts,
      messages,
      instructions,
      params: request.params,
      streaming: request.streaming,
      context: context.messages,
      signal: this.#abort.signal,
      append: (found) => this.#append(found),
      emit: (delta) => this.#emit(delta),
      restart: () => this.#restart(),
      progress: (note) => this.#touch(cutText(note, noteLengthMax)),
    }
  }

  #emit(delta: string | AnswerDelta): void {
    this.#touch(null)
    this.#live.emit(this.claim.turn.id, typeof delta === 'string' ? { content: delta } : delta)
  }

  #restart(): void {
    this.#touch(null)
    this.#live.restart(this.claim.turn.id)
  }

  /** One after the other: each names the head that the one before it made. */
  #append(found: readonly Message[]): Promise<readonly Entry[]> {
    const appended = this.#appending.then(() => this.#appendNext(found))
    this.#appending = appended.catch(() => {}) // its own caller hears of it; the next append does not
    return appended
  }

  async #appendNext(found: readonly Message[]): Promise<readonly Entry[]> {
    const { store, clock } = this.#ground
    const { turn, fence } = this.claim
    const { messages, replaced } = readMessages(found)
    if (replaced > 0) this.#ground.telemetry.surrogatesReplaced(replaced)
    const entries = entriesOf(turn.id, turn.attempts, this.entriesWritten, messages)
    const before = this.head
    const input = { key: turn.sessionKey, turnId: turn.id, fence, head: before, entries, atMs: clock.nowMs() }
    this.head = (await this.#write('append', () => store.appendEntries(input))).head
    this.entriesWritten += entries.length
    this.#touch('stored entries')
    return this.#readBack(before, entries.length)
  }

  async #readBack(after: number, count: number): Promise<readonly Entry[]> {
    const { turn, session } = this.claim
    const query = { key: turn.sessionKey, transcript: session.transcript, order: 'oldest' } as const
    const found: Entry[] = []
    while (found.length < count) {
      const place = found.at(-1)?.seq ?? after
      const { entries } = await this.#ground.store.readEntries({ ...query, after: place, limit: count - found.length })
      if (entries.length === 0) break
      found.push(...entries)
    }
    return found
  }

  /** While the disk is full the runner waits, and that is no stall of its own. @throws HoldfastError FENCED */
  async #write<T>(name: string, write: () => Promise<T>): Promise<T> {
    try {
      return await persist(this.#ground, `turn ${name}`, () => {
        this.#touch(null)
        return write()
      })
    } catch (error) {
      if (isHoldfastError(error, 'FENCED')) this.refused()
      throw error
    }
  }

  #touch(note: string | null): void {
    const { clock, background, lookout } = this.#ground
    lookout.moved(this.claim.turn.id, note)
    this.#progressSteadyMs = clock.steadyMs()
    this.#progress = { ...this.#progress, atMs: clock.nowMs(), note: note ?? this.#progress.note }
    if (this.#progressSteadyMs - this.#recordedSteadyMs < recordEveryMs) return
    this.#recordedSteadyMs = this.#progressSteadyMs
    background.run('progress', () => this.#record())
  }

  async #record(): Promise<void> {
    const { turn, fence } = this.claim
    const { note, atMs } = this.#progress
    try {
      await this.#ground.store.recordProgress({ key: turn.sessionKey, fence, note, atMs })
    } catch (error) {
      if (isHoldfastError(error, 'STORE_FULL') || isHoldfastError(error, 'STORE_IO')) return // the next one says more
      if (!isHoldfastError(error, 'FENCED')) throw error
      this.cut({ kind: 'fenced', because: 'its session was taken' })
    }
  }
}
