import { countsOf, isLaneOpen, quotaOf } from '../../lanes/plan.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { type LaneName, type LaneRules, laneNames } from '../../model/lanes.ts'
import type { Turn } from '../../model/turns.ts'
import type { Claim } from '../../store/turns.ts'
import { type Ground, storeBackoffMs } from '../ground.ts'
import { backoffMs, pause } from '../waiting.ts'

/** Claims under way at once while they succeed: enough to share a commit, few enough to cost nothing when idle. */
const claimsMax = 4

/** A backstop for what nobody told us: a wake-up lost to a fault of ours, a turn admitted by another process. */
const pollEveryMs = 1_000
/** Where other processes admit turns too, which tell us nothing. Unit: ms. */
const pollSharedEveryMs = 250
/** Another backstop: a claim or an end whose answer was lost in a way that was not seen. */
const straysEveryPolls = 30

type InLane = Pick<Turn, 'lane' | 'source'>

/** Sources of which it is remembered when their share was taken: waits are told apart by it, for a moment. */
const sharesMax = 1_000

const nameOf = (lane: LaneName, source: string) => `${lane} ${source}`

export interface DispatcherHands {
  start(claim: Claim): void
  /** Ends turns that were claimed for nobody, and tells of those that ended unseen. False when that could not be told now. */
  endStrays(): Promise<boolean>
  /** Does something about a turn that keeps others from being claimed; false when the error is about none. */
  mend(error: unknown): Promise<boolean>
}

/**
 * Claims turns while there is room. Woken by admissions, by slots that come free, and by coalesce windows that close;
 * a claim that found nothing ends it until the next wake-up.
 */
export class Dispatcher {
  readonly #ground: Ground
  readonly #hands: DispatcherHands
  readonly #stopping = new AbortController()
  readonly #lanes = laneNames.map((lane) => ({ lane, running: new Map<string, number>() }))
  readonly #fullUntilMs = new Map<LaneName, number>()
  /** The same of the share of one source, by lane and source. */
  readonly #shareFullUntilMs = new Map<string, number>()
  readonly #claims = new Set<Promise<void>>()
  /** Claims that found a turn since the last that did not. */
  #inARow = 0
  #pumping = false
  #wakes = 0
  /** Every wake-up up to this one has been answered with "nothing can start". */
  #answered = 0
  #failures = 0
  /** A write gave an error, and may have been made all the same. */
  #inDoubt = false
  #resting = false

  constructor(ground: Ground, hands: DispatcherHands) {
    this.#ground = ground
    this.#hands = hands
  }

  begin(): void {
    this.#ground.background.insist('poll', async () => {
      let polls = 0
      const everyMs = this.#ground.store.shared ? pollSharedEveryMs : pollEveryMs
      do {
        polls += 1
        if (this.#inDoubt || polls % straysEveryPolls === 0) this.#inDoubt = !(await this.#hands.endStrays())
        this.wake()
      } while (await pause(this.#ground.clock, everyMs, this.#stopping.signal))
    })
  }

  /** No claim starts afterwards; those under way still come in. */
  stop(): void {
    this.#stopping.abort()
  }

  /** The next poll looks for what was done without our knowing. */
  doubt(): void {
    this.#inDoubt = true
  }

  /** Claims under way. */
  get claiming(): number {
    return this.#claims.size
  }

  async quiet(): Promise<void> {
    while (this.#claims.size > 0) await Promise.all(this.#claims)
  }

  /** Several wake-ups of one moment (a turn has ended and its slot is free) are one look. */
  wake(): void {
    this.#wakes += 1
    if (this.#pumping) return
    this.#pumping = true
    queueMicrotask(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  wakeIn(ms: number): void {
    this.#ground.background.run('wake', async () => {
      if (await pause(this.#ground.clock, ms, this.#stopping.signal)) this.wake()
    })
  }

  /** The slot of a claimed turn is free again. */
  release(turn: InLane): void {
    this.#noteFull(turn)
    const { lane, source } = turn
    const running = this.#runningIn(lane)
    const left = (running.get(source) ?? 0) - 1
    if (left > 0) running.set(source, left)
    else running.delete(source)
    this.wake()
  }

  /** When the lane was last seen without a slot for anybody, or for this source; null when never. */
  fullUntilMs({ lane, source }: InLane): number | null {
    const laneMs = this.#fullUntilMs.get(lane) ?? null
    const shareMs = this.#shareFullUntilMs.get(nameOf(lane, source)) ?? null
    return laneMs === null || shareMs === null ? (laneMs ?? shareMs) : Math.max(laneMs, shareMs)
  }

  /** By the lane rules as they are now: without a slot for the lane, or for this source in it. */
  isFull({ lane, source }: InLane): boolean {
    return !this.#openLanes().includes(lane) || this.#hasShare(lane, source)
  }

  get #rules(): LaneRules {
    return this.#ground.settings.lanes
  }

  #openLanes(): LaneName[] {
    const counts = countsOf(this.#lanes)
    return laneNames.filter((lane) => isLaneOpen(lane, counts, this.#rules))
  }

  #hasShare(lane: LaneName, source: string): boolean {
    return (this.#runningIn(lane).get(source) ?? 0) >= quotaOf(lane, this.#rules)
  }

  #runningIn(lane: LaneName): Map<string, number> {
    return (this.#lanes.find((each) => each.lane === lane) as { running: Map<string, number> }).running
  }

  #pump(): void {
    while (
      !this.#stopping.signal.aborted &&
      !this.#resting &&
      this.#wakes > this.#answered &&
      this.#claims.size < Math.min(claimsMax, Math.max(1, this.#inARow)) &&
      this.#openLanes().length > 0
    ) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#claims.add(promise)
      const wake = this.#wakes
      this.#ground.background.run('claim', async () => {
        await this.#claim(wake)
        this.#claims.delete(promise)
        resolve()
        this.#pump()
      })
    }
  }

  async #claim(wake: number): Promise<void> {
    const { store, holder, clock, watch } = this.#ground
    try {
      const claim = await store.claimTurn({ holder, rules: this.#rules, atMs: clock.nowMs() })
      if (this.#failures > 0) watch.fine('dispatch')
      this.#failures = 0
      if (claim === null) this.#nothing(wake)
      else this.#claimed(claim)
    } catch (error) {
      if (isHoldfastError(error, 'STORE_CLOSED')) this.stop()
      else await this.#mendOrRest(error)
    }
  }

  async #mendOrRest(error: unknown): Promise<void> {
    try {
      if (!(await this.#hands.mend(error))) this.#rest(error)
    } catch (further) {
      this.#rest(further)
    }
  }

  #nothing(wake: number): void {
    this.#answered = Math.max(this.#answered, wake)
    this.#inARow = 0
  }

  #claimed(claim: Claim): void {
    const { lane, source } = claim.turn
    this.#hands.start(claim)
    const running = this.#runningIn(lane)
    running.set(source, (running.get(source) ?? 0) + 1)
    this.#inARow += 1
  }

  /** Whatever the error: turns that wait must not depend on it having been foreseen. */
  #rest(error: unknown): void {
    const { log, watch, clock, background } = this.#ground
    this.#failures += 1
    this.#inDoubt = true
    this.#resting = true
    watch.trouble('dispatch', error)
    const code = isHoldfastError(error) ? error.code : 'INTERNAL'
    if (this.#failures === 1) log.error({ code }, 'no turn can be claimed')
    background.run('dispatch rest', async () => {
      await pause(clock, backoffMs(this.#failures, storeBackoffMs), this.#stopping.signal)
      this.#resting = false
      this.#pump()
    })
  }

  /** Before the slot of this turn is free. */
  #noteFull({ lane, source }: InLane): void {
    const nowMs = this.#ground.clock.nowMs()
    const open = this.#openLanes()
    for (const each of laneNames) if (!open.includes(each)) this.#fullUntilMs.set(each, nowMs)
    if (!this.#hasShare(lane, source)) return
    const name = nameOf(lane, source)
    this.#shareFullUntilMs.delete(name) // so that the oldest is the first
    this.#shareFullUntilMs.set(name, nowMs)
    const [oldest] = this.#shareFullUntilMs.keys()
    if (this.#shareFullUntilMs.size > sharesMax) this.#shareFullUntilMs.delete(oldest as string)
  }
}
