import { recordOf } from '../../model/errors.ts'
import { isSettled } from '../../model/turns.ts'
import type { LivingHolder } from '../../store/holders.ts'
import type { TurnState } from '../../store/turns.ts'
import type { TurnEvent } from '../events.ts'
import type { Ground } from '../ground.ts'
import { pause } from '../waiting.ts'
import { Bridge } from './bridge.ts'
import type { Live } from './live.ts'

/** The tokens of a turn that runs in another process, from the start of its attempt, as its own followers see them. */
export type FollowElsewhere = (holder: LivingHolder, turnId: string, signal: AbortSignal) => AsyncIterable<TurnEvent>

/** How soon is seen here what another process has done: one query for all turns that are followed or run here. Unit: ms. */
const lookEveryMs = 250

/** Before the way to another process is tried again. Unit: ms. */
const againAfterMs = 1_000

/** Turns that are looked at in one query. */
const turnsAtOnce = 500

/** What one process does about turns in which others have a hand. */
export interface OthersHands {
  /** Turns that run here. */
  running(): string[]
  /** Somebody asked another process to cancel it. */
  cancel(turnId: string): void
  /** Another process has taken its session. */
  lost(turnId: string): void
  /** It has ended elsewhere, and is followed here. */
  ended(turnId: string, bridge: Bridge | null): Promise<void>
}

interface Way {
  /** Null between two tries. */
  holderId: string | null
  stop: AbortController
  bridge: Bridge
  /** The turn was seen to have ended once. */
  isLast: boolean
}

/**
 * On a store that several processes share: sees what they do to turns of this one, and follows theirs for those who wait here. The
 * store is the truth; what a process tells of a running turn is only its tokens, and may fail.
 */
export class Others {
  readonly #ground: Ground
  readonly #live: Live
  readonly #hands: OthersHands
  readonly #follow: FollowElsewhere | null
  /** To turns whose tokens come from another process. */
  readonly #ways = new Map<string, Way>()

  constructor(ground: Ground, live: Live, hands: OthersHands, follow: FollowElsewhere | null) {
    this.#ground = ground
    this.#live = live
    this.#hands = hands
    this.#follow = follow
  }

  begin(): void {
    if (!this.#ground.store.shared) return
    this.#ground.background.insist('others', async () => {
      while (await pause(this.#ground.clock, lookEveryMs, this.#ground.over)) await this.#look()
      for (const { stop } of this.#ways.values()) stop.abort()
    })
  }

  async #look(): Promise<void> {
    const running = new Set(this.#hands.running())
    const followed = this.#live.followed()
    for (const [turnId, { stop }] of this.#ways) {
      if (followed.includes(turnId) && !running.has(turnId)) continue
      stop.abort()
      this.#ways.delete(turnId)
    }
    const turnIds = [...new Set([...running, ...followed])]
    for (let at = 0; at < turnIds.length; at += turnsAtOnce) {
      const states = await this.#read(turnIds.slice(at, at + turnsAtOnce))
      for (const state of states) await (running.has(state.turnId) ? this.#seeOwn(state) : this.#seeOther(state))
    }
  }

  /** While the store cannot be read nothing is known, and nothing is done. */
  async #read(turnIds: readonly string[]): Promise<TurnState[]> {
    try {
      return await this.#ground.store.readTurnStates({ turnIds })
    } catch (error) {
      this.#ground.log.debug({ ...recordOf(error) }, 'it cannot be seen what others do')
      return []
    }
  }

  async #seeOwn({ turnId, status, holderId, cancelRequested }: TurnState): Promise<void> {
    if (status === 'running' && holderId === this.#ground.holder.id) {
      if (cancelRequested !== null) this.#hands.cancel(turnId)
    } else if (!isSettled(status)) {
      this.#hands.lost(turnId) // what has settled was settled by us, or our write will say that it was not
    }
  }

  async #seeOther({ turnId, status, holderId }: TurnState): Promise<void> {
    const way = this.#ways.get(turnId)
    if (isSettled(status)) {
      if (way !== undefined && way.holderId !== null && !way.bridge.isWhole && !way.isLast) {
        way.isLast = true // its last tokens may be on their way: they have until the next look
        return
      }
      way?.stop.abort()
      this.#ways.delete(turnId)
      return this.#hands.ended(turnId, way?.bridge ?? null)
    }
    if (way !== undefined && way.holderId !== null && way.holderId !== holderId) way.stop.abort()
    if (this.#follow === null || holderId === null || holderId === this.#ground.holder.id || way?.holderId != null)
      return
    const holder = (await this.#ground.store.listHolders()).find(({ id }) => id === holderId)
    if (holder !== undefined && holder.address !== null) this.#cross(holder, turnId, this.#follow)
  }

  #cross(holder: LivingHolder, turnId: string, follow: FollowElsewhere): void {
    const stop = new AbortController()
    const { bridge } = this.#ways.get(turnId) ?? { bridge: new Bridge(this.#live, turnId) }
    this.#ways.set(turnId, { holderId: holder.id, stop, bridge, isLast: false })
    this.#ground.background.run('follow elsewhere', async () => {
      try {
        for await (const event of follow(holder, turnId, stop.signal)) {
          if (stop.signal.aborted) return
          if (event.type === 'settled') return bridge.complete() // how it ended is read from the store
          bridge.pass(event)
        }
      } catch (error) {
        this.#ground.log.debug({ turnId, ...recordOf(error) }, 'the tokens of a turn elsewhere cannot be followed')
        await pause(this.#ground.clock, againAfterMs, AbortSignal.any([stop.signal, this.#ground.over]))
      } finally {
        const way = this.#ways.get(turnId)
        if (way?.stop === stop) this.#ways.set(turnId, { ...way, holderId: null })
      }
    })
  }
}
