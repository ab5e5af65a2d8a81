import { isHoldfastError } from '../../src/model/errors.ts'
import type { Holder } from '../../src/model/holders.ts'
import type { SessionKey } from '../../src/model/keys.ts'
import { holderNamed, openLanes, type Pen, penOf, type Scene } from '../../src/testing/contract/scene.ts'
import type { Event } from './history.ts'

/** One simulated gateway process over a store that it shares: claims, writes, and now and then sleeps too long. */
class StallingHolder {
  readonly holder: Holder
  readonly #scene: Scene
  readonly #events: Event[]
  readonly #chance: () => number
  #pen: Pen | null = null
  /** Turns that it believes to hold, from before it was expired. */
  #stale: Pen[] = []

  constructor(name: string, scene: Scene, events: Event[], chance: () => number) {
    this.holder = holderNamed(name)
    this.#scene = scene
    this.#events = events
    this.#chance = chance
  }

  /** What it would do next, knowing nothing of what happened while it slept. */
  async act(): Promise<void> {
    const late = this.#stale.length > 0 && this.#chance() < 0.5 ? this.#stale.shift() : undefined
    if (late !== undefined) await this.#write(late)
    else if (this.#pen === null) this.#pen = await this.#claim()
    else if (this.#chance() < 0.3) this.#pen = await this.#settle(this.#pen)
    else this.#pen = await this.#write(this.#pen)
  }

  /** It stops, in the middle of whatever it holds, and is taken for dead; its turns are given to others. */
  async expire(): Promise<void> {
    const { store, nowMs: atMs } = this.#scene
    const lost = await store.expireLeases({ holderIds: [this.holder.id], handedOver: false, limit: 100, atMs })
    for (const { id } of lost) await store.requeueTurn({ turnId: id, lane: 'resume', atMs })
    if (this.#pen !== null) this.#stale.push(this.#pen)
    this.#pen = null
  }

  /** Everything late that it still has comes now; then it ends what it holds. */
  async finish(): Promise<void> {
    for (const late of this.#stale.splice(0)) await this.#write(late)
    if (this.#pen !== null) await this.#settle(this.#pen)
    this.#pen = null
  }

  async #claim(): Promise<Pen | null> {
    const claim = await this.#scene.tryClaim({ holder: this.holder, rules: openLanes })
    if (claim === null) return null
    const { key, turnId, fence, head } = penOf(claim)
    this.#events.push({ kind: 'claimed', key, turnId, fence })
    return { key, turnId, fence, head }
  }

  #write(pen: Pen): Promise<Pen | null> {
    const entries = [this.#scene.entry('part'), this.#scene.entry('more')]
    const { store, nowMs: atMs } = this.#scene
    return this.#attempt(
      pen,
      entries.map(({ id }) => id),
      async () => {
        const { head } = await store.appendEntries({ ...pen, entries, atMs })
        return { ...pen, head }
      },
    )
  }

  #settle(pen: Pen): Promise<Pen | null> {
    const settling = this.#scene.settling(pen, 'reply')
    return this.#attempt(
      pen,
      settling.entries.map(({ id }) => id),
      async () => {
        await this.#scene.store.settleTurn(settling)
        return null
      },
    )
  }

  async #attempt(pen: Pen, entryIds: string[], write: () => Promise<Pen | null>): Promise<Pen | null> {
    const { key, turnId, fence } = pen
    try {
      const after = await write()
      this.#events.push({ kind: 'wrote', key, turnId, fence, entryIds })
      return after
    } catch (error) {
      if (!isHoldfastError(error, 'FENCED')) throw error
      this.#events.push({ kind: 'refused', key, turnId, fence, entryIds })
      return null
    }
  }
}

/** Two holders, a user who writes and resets, and chance. Gives what happened. */
export async function stallAtRandom(
  scene: Scene,
  keys: SessionKey[],
  chance: () => number,
  turns: number,
): Promise<Event[]> {
  const events: Event[] = []
  const holders = ['left', 'right'].map((name) => new StallingHolder(name, scene, events, chance))
  const pick = <T>(from: readonly T[]): T => from[Math.floor(chance() * from.length)] as T
  for (let count = 0; count < turns; count += 1) {
    scene.nowMs += 1
    const act = chance()
    if (act < 0.2) await scene.admit(pick(keys), `message ${count}`)
    else if (act < 0.3) await pick(holders).expire()
    else if (act < 0.33) await scene.store.resetSession({ key: pick(keys), reason: 'enough', atMs: scene.nowMs })
    else if (act < 0.6) await Promise.all(holders.map((holder) => holder.act()))
    else await pick(holders).act()
    for (const key of keys) events.push({ kind: 'seen', key, fence: (await scene.session(key)).fence })
  }
  for (const holder of holders) await holder.finish()
  return events
}
