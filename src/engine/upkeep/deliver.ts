import type { Entry } from '../../model/entries.ts'
import { isHoldfastError, recordOf } from '../../model/errors.ts'
import type { Delivery } from '../../model/holders.ts'
import { cutText } from '../../model/text.ts'
import { type Ground, persist } from '../ground.ts'
import type { Deliver } from '../runner.ts'
import { backoffMs, pause } from '../waiting.ts'

/** Deliveries under way at once, so that one slow channel does not hold up the others. */
const underWayMax = 8
/** Finds retries that fall due, also those of an earlier process. */
const pollEveryMs = 1_000
/** Of a channel's error, in UTF-16 units; it is kept in the store for people, never logged. */
const errorLengthMax = 500

type Result = { status: 'sent' | 'refused' | 'unknown'; error: string | null }

/** Sends replies on their way out. An attempt is counted before it is made, and one whose outcome is unknown is the last. */
export class Deliverer {
  readonly #ground: Ground
  readonly #deliver: Deliver
  readonly #stopping = new AbortController()
  #underWay = 0
  #begun = false
  #wanted = false
  #claiming = false

  constructor(ground: Ground, deliver: Deliver) {
    this.#ground = ground
    this.#deliver = deliver
  }

  /** Not before what an earlier process was sending is marked: until then nothing is sent. */
  begin(): void {
    this.#begun = true
    this.#ground.background.insist('delivery poll', async () => {
      do this.wake()
      while (await pause(this.#ground.clock, pollEveryMs, this.#stopping.signal))
    })
  }

  /** Deliveries under way get their signal; what they leave behind is `unknown` at the next start. */
  stop(): void {
    this.#stopping.abort()
  }

  wake(): void {
    this.#wanted = true
    if (!this.#begun || this.#claiming || this.#stopping.signal.aborted) return
    this.#claiming = true
    this.#ground.background.run('delivery claim', () => this.#claimAll())
  }

  async #claimAll(): Promise<void> {
    const { store, clock, watch } = this.#ground
    try {
      while (this.#wanted && this.#underWay < underWayMax && !this.#stopping.signal.aborted) {
        const claimed = await store.claimDelivery({ atMs: clock.nowMs() })
        if (claimed === null) {
          this.#wanted = false
        } else {
          const { reply, ...delivery } = claimed
          this.#underWay += 1
          this.#ground.background.run('delivery', () => this.#send(delivery, reply))
        }
      }
      watch.fine('deliveries')
    } catch (error) {
      if (isHoldfastError(error, 'STORE_CLOSED')) return
      watch.trouble('deliveries', error) // the next poll tries again
      this.#ground.log.warn({ ...recordOf(error) }, 'no delivery can be claimed')
    } finally {
      this.#claiming = false
    }
  }

  async #send(delivery: Delivery, reply: Entry[]): Promise<void> {
    try {
      await this.#settle(delivery, await this.#attempt(delivery, reply))
    } finally {
      this.#underWay -= 1
      this.wake()
    }
  }

  async #attempt(delivery: Delivery, reply: Entry[]): Promise<Result> {
    const { clock, settings } = this.#ground
    const ended = new AbortController()
    const overdue = new AbortController()
    const signal = AbortSignal.any([overdue.signal, this.#stopping.signal])
    const limit = async (): Promise<Result> => {
      await pause(clock, settings.delivery.timeLimitMs, AbortSignal.any([ended.signal, this.#stopping.signal]))
      overdue.abort()
      await pause(clock, settings.turns.graceMs, ended.signal)
      return { status: 'unknown', error: 'it did not end in time' }
    }
    const result = await Promise.race([this.#call(delivery, reply, signal), limit()])
    ended.abort()
    return result
  }

  async #call(delivery: Delivery, reply: Entry[], signal: AbortSignal): Promise<Result> {
    try {
      await this.#deliver(delivery, reply, signal)
      return { status: 'sent', error: null }
    } catch (error) {
      const text = cutText(error instanceof Error ? error.message : String(error), errorLengthMax)
      const refused = error instanceof Error && error.name === 'DeliveryRefused'
      return { status: refused ? 'refused' : 'unknown', error: text }
    }
  }

  async #settle(delivery: Delivery, result: Result): Promise<void> {
    const { store, clock, settings, events, log } = this.#ground
    const { id, attempts, turnId, sessionKey } = delivery
    const again = result.status === 'refused' && attempts < settings.delivery.attemptsMax
    const waitMs = backoffMs(attempts, settings.delivery.backoffMs)
    const final = result.status === 'refused' ? 'failed' : result.status
    await persist(this.#ground, 'delivery', () =>
      store.settleDelivery({
        id,
        status: again ? 'pending' : final,
        error: result.error,
        nextAttemptAtMs: clock.nowMs() + waitMs,
      }),
    )
    if (again) return this.#wakeIn(waitMs)
    events.publish({ type: 'delivery.settled', sessionKey, turnId, status: final })
    if (final !== 'sent') log.warn({ deliveryId: id, turnId, status: final, attempts }, 'a reply was not delivered')
  }

  #wakeIn(ms: number): void {
    this.#ground.background.run('delivery retry', async () => {
      if (await pause(this.#ground.clock, ms, this.#stopping.signal)) this.wake()
    })
  }
}
