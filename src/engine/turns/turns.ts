import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { cutText } from '../../model/text.ts'
import { isSettled, type Turn } from '../../model/turns.ts'
import type { ResetResult } from '../../store/sessions.ts'
import type { AdmitResult, Claim, TurnDetail } from '../../store/turns.ts'
import type { TurnEvent } from '../events.ts'
import type { Ground } from '../ground.ts'
import type { Runner } from '../runner.ts'
import { pause, until } from '../waiting.ts'
import { admit } from './admit.ts'
import type { SubmitInput } from './ask.ts'
import type { Bridge } from './bridge.ts'
import { Dispatcher } from './dispatch.ts'
import { Live } from './live.ts'
import { Mender } from './mend.ts'
import { type FollowElsewhere, Others } from './others.ts'
import { releaseSession } from './release.ts'
import { type RunProgress, TurnRun } from './run.ts'
import { settleRun } from './settle.ts'
import { tellStarted } from './started.ts'
import { endStrays, type Strays } from './strays.ts'
import type { Cut } from './verdict.ts'

/** Of a reason for cancelling, in UTF-16 units. */
const reasonLengthMax = 500

/** Cuts kept for turns whose claim is on its way, which takes milliseconds; those beyond run until their own limits. */
const cutsToComeMax = 1_000

/** Turns of this process, from admission to their end. */
export class Turns {
  readonly #ground: Ground
  readonly #runner: Runner | null
  readonly #afterRun: (claim: Claim) => void
  readonly #live = new Live()
  readonly #dispatcher: Dispatcher
  readonly #others: Others
  readonly #runs = new Map<string, { run: TurnRun; ended: Promise<void> }>()
  /** For turns that the store has given us already while its answer is on the way. */
  readonly #cutsToCome = new Map<string, Cut>()
  /** Followers that are about to hear how their turn ended. */
  readonly #telling = new Map<string, Promise<void>>()
  readonly #strays: Strays = new Map()
  readonly #openedAtMs: number
  #closing = false

  /** `afterRun` is called when the end of a run is durable. */
  constructor(
    ground: Ground,
    runner: Runner | null,
    followElsewhere: FollowElsewhere | null,
    afterRun: (claim: Claim) => void,
  ) {
    this.#ground = ground
    this.#runner = runner
    this.#afterRun = afterRun
    this.#openedAtMs = ground.clock.nowMs()
    const hands = {
      running: () => [...this.#runs.keys()],
      cancel: (turnId: string) => this.#cut(turnId, { kind: 'cancelled' }),
      lost: (turnId: string) => this.#cut(turnId, { kind: 'fenced', because: 'its session was taken' }),
      ended: async (turnId: string, bridge: Bridge | null) => {
        if (this.#telling.has(turnId)) return
        const detail = await this.#read(turnId)
        bridge?.end(detail)
        this.concluded(detail.turn)
      },
    }
    this.#others = new Others(ground, this.#live, hands, followElsewhere)
    const mender = new Mender(ground, (turn) => this.concluded(turn))
    this.#dispatcher = new Dispatcher(ground, {
      start: (claim) => this.#start(claim),
      endStrays: () => this.#endStrays(),
      mend: (error) => mender.mend(error),
    })
  }

  begin(): void {
    if (this.#runner !== null) this.#dispatcher.begin()
    this.#others.begin()
  }

  wake(): void {
    if (this.#runner !== null) this.#dispatcher.wake()
  }

  async submit(input: SubmitInput): Promise<AdmitResult> {
    const result = await admit(this.#ground, input)
    if (result.interruptedTurnId !== null) this.#cut(result.interruptedTurnId, { kind: 'cancelled' })
    this.wake()
    const joins = input.onBusy === 'coalesce' && this.#runner !== null
    if (joins) this.#dispatcher.wakeIn(this.#ground.settings.turns.coalesceMs + 1)
    return result
  }

  async *follow(turnId: string, signal: AbortSignal | undefined): AsyncGenerator<TurnEvent, void, undefined> {
    using seat = this.#live.join(turnId)
    const { turn, reply } = await this.#read(turnId)
    if (isSettled(turn.status)) yield { type: 'settled', turn, reply: turn.status === 'done' ? reply : [] }
    else yield* seat.events(signal)
  }

  async settled(turnId: string, signal: AbortSignal | undefined): Promise<TurnDetail> {
    using seat = this.#live.join(turnId)
    const detail = await this.#read(turnId)
    return isSettled(detail.turn.status) ? detail : await until(seat.ended, signal)
  }

  async cancel(turnId: string, reason: string): Promise<Turn> {
    const { store, clock } = this.#ground
    const input = { turnId, reason: cutText(reason, reasonLengthMax), atMs: clock.nowMs() }
    const turn = await this.#watchingDoubt(store.cancelTurn(input))
    if (isSettled(turn.status)) this.concluded(turn)
    else this.#cut(turnId, { kind: 'cancelled' })
    return turn
  }

  /** Null when nothing runs there. */
  async release(key: SessionKey, reason: string): Promise<Turn | null> {
    const turn = await this.#watchingDoubt(releaseSession(this.#ground, key, reason))
    if (turn === null) return null
    this.#cut(turn.id, { kind: 'fenced', because: 'its session was released' })
    this.concluded(turn)
    return turn
  }

  async reset(key: SessionKey, reason: string): Promise<ResetResult> {
    const { store, clock, events, background } = this.#ground
    const input = { key, reason: cutText(reason, reasonLengthMax), atMs: clock.nowMs() }
    const result = await this.#watchingDoubt(store.resetSession(input))
    events.publish({ type: 'session.reset', sessionKey: key, transcript: result.session.transcript })
    const turnId = result.cancelledTurnId
    if (turnId !== null) {
      this.#cut(turnId, { kind: 'fenced', because: 'its session was reset' })
      background.insist('reset', async () => this.concluded((await this.#read(turnId)).turn))
    }
    return result
  }

  /** Tells everybody that a turn has ended. Called after the commit that made it true. */
  concluded(turn: Turn): void {
    const { telemetry, events } = this.#ground
    const { sessionKey, status, outcome } = turn
    if (!isSettled(status)) return
    const ranMs = turn.startedAtMs === null ? 0 : Math.max(0, (turn.settledAtMs ?? 0) - turn.startedAtMs)
    telemetry.turnSettled(turn.lane, status, outcome?.code ?? null, ranMs)
    events.publish({ type: 'turn.settled', sessionKey, turnId: turn.id, status, outcome })
    if (this.#live.isFollowed(turn.id)) {
      const telling = this.#tellFollowers(turn.id).finally(() => this.#telling.delete(turn.id))
      this.#telling.set(turn.id, telling)
    } else {
      this.#live.forget(turn.id)
    }
    this.wake()
  }

  /** A turn that came by another way than `submit`. */
  admitted({ sessionKey, id: turnId }: Turn): void {
    this.#ground.events.publish({ type: 'turn.admitted', sessionKey, turnId, coalesced: false })
    this.wake()
  }

  progressOf(turnId: string): RunProgress | null {
    return this.#runs.get(turnId)?.run.progress ?? null
  }

  laneIsFull(turn: Turn): boolean {
    return this.#dispatcher.isFull(turn)
  }

  /** Starts nothing more, and gives what runs up to `drainMs` to end; then all of it is told to stop. */
  async stop(drainMs: number): Promise<void> {
    this.#dispatcher.stop()
    if (drainMs > 0) await this.#emptyWithin(drainMs)
    this.#closing = true
    for (const { run } of this.#runs.values()) run.cut({ kind: 'closing' })
    if (this.#runs.size > 0 || this.#dispatcher.claiming > 0)
      await this.#emptyWithin(this.#ground.settings.turns.graceMs)
  }

  /** After `ground.over`: no run is waited for any more. Followers of unfinished turns are told that the gateway closes. */
  async close(): Promise<void> {
    await this.#empty()
    await Promise.all(this.#telling.values())
    this.#live.close(new HoldfastError('GATEWAY_CLOSING'))
  }

  #start(claim: Claim): void {
    const { turn } = claim
    const runner = this.#runner
    if (runner === null || this.#closing) return // claimed too late: it becomes `interrupted` with its holder
    const run = new TurnRun(this.#ground, this.#live, claim)
    this.#ground.lookout.begin(turn)
    this.#live.begin(turn.id, turn.attempts)
    tellStarted(this.#ground, claim, this.#openedAtMs, this.#dispatcher.fullUntilMs(turn))
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    this.#runs.set(turn.id, { run, ended })
    this.#ground.background.run('turn', async () => {
      try {
        const settled = await settleRun(this.#ground, run, await run.run(runner))
        if (settled === null) return this.#endedUnseen(turn.id)
        this.concluded(settled)
        this.#afterRun(claim)
      } finally {
        this.#runs.delete(turn.id)
        this.#ground.lookout.end(turn.id)
        this.#dispatcher.release(turn)
        resolve()
      }
    })
    const cut = this.#cutsToCome.get(turn.id)
    if (this.#cutsToCome.delete(turn.id) && cut !== undefined) run.cut(cut)
  }

  #cut(turnId: string, cut: Cut): void {
    const running = this.#runs.get(turnId)
    if (running !== undefined) running.run.cut(cut)
    else if (this.#dispatcher.claiming === 0) this.#cutsToCome.clear()
    else if (this.#cutsToCome.size < cutsToComeMax) this.#cutsToCome.set(turnId, cut)
  }

  /** False while claims are under way. */
  async #endStrays(): Promise<boolean> {
    const running = [...this.#runs]
    const leases = await this.#ground.store.listLeases()
    // A claim under way may have taken one of them; its run is known as soon as it is answered.
    if (this.#dispatcher.claiming > 0 || this.#closing) return false
    await endStrays(
      this.#ground,
      this.#strays,
      leases,
      (turnId) => this.#runs.has(turnId),
      (turn) => this.concluded(turn),
    )
    const held = new Set(leases.map((lease) => lease.turnId))
    for (const [turnId, { run }] of running) {
      if (!held.has(turnId)) run.cut({ kind: 'fenced', because: 'its turn has ended' })
    }
    await this.#tellUnseen()
    return true
  }

  /** Whoever settled it has told its followers; only when the disk hid that it was done, nobody has. */
  #endedUnseen(turnId: string): void {
    if (this.#live.isFollowed(turnId)) this.#dispatcher.doubt()
    else this.#live.forget(turnId)
  }

  /** A write that gave a disk error may have ended a turn that somebody waits for. */
  async #watchingDoubt<T>(write: Promise<T>): Promise<T> {
    try {
      return await write
    } catch (error) {
      if (isHoldfastError(error, 'STORE_IO')) this.#dispatcher.doubt()
      throw error
    }
  }

  async #tellUnseen(): Promise<void> {
    for (const turnId of this.#live.followed()) {
      if (this.#runs.has(turnId) || this.#telling.has(turnId)) continue
      const detail = await this.#ground.store.readTurn(turnId)
      if (detail !== null && this.#live.isFollowed(turnId) && !this.#telling.has(turnId)) this.concluded(detail.turn)
    }
  }

  async #read(turnId: string): Promise<TurnDetail> {
    const detail = await this.#ground.store.readTurn(turnId)
    if (detail === null) throw new HoldfastError('TURN_NOT_FOUND', { turnId })
    return detail
  }

  /** Never rejects. */
  async #tellFollowers(turnId: string): Promise<void> {
    try {
      this.#live.end(turnId, await this.#read(turnId))
    } catch (error) {
      // Unreadable is never empty: followers get the error, and the answer is in the session.
      this.#live.end(turnId, error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #empty(): Promise<void> {
    for (;;) {
      await this.#dispatcher.quiet()
      if (this.#runs.size === 0) return
      await Promise.all([...this.#runs.values()].map(({ ended }) => ended))
    }
  }

  async #emptyWithin(ms: number): Promise<void> {
    const ended = new AbortController()
    const empty = this.#empty().finally(() => ended.abort())
    await Promise.race([empty, pause(this.#ground.clock, ms, ended.signal)])
  }
}
