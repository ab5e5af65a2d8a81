import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../../host/clock.ts'
import { HoldfastError } from '../../../model/errors.ts'

/** One at a time for each name, in the order of asking. */
export class Queues {
  readonly #waiting = new Map<string, (() => void)[]>()

  /** The turn; `using` ends it. @throws HoldfastError HOME_BUSY when it does not come before `deadlineMs` of the steady clock */
  async turn(name: string, clock: Clock, deadlineMs: number): Promise<Disposable> {
    const ahead = this.#waiting.get(name)
    if (ahead === undefined) this.#waiting.set(name, [])
    else await this.#comes(ahead, clock, deadlineMs)
    return { [Symbol.dispose]: () => this.#next(name) }
  }

  async #comes(ahead: (() => void)[], clock: Clock, deadlineMs: number): Promise<void> {
    let hasCome = false
    const late = new AbortController()
    const turn = new Promise<void>((resolve) => {
      ahead.push(() => {
        hasCome = true
        resolve()
      })
    })
    const mine = ahead.at(-1)
    const deadline = sleep(Math.max(0, deadlineMs - clock.steadyMs()), undefined, { signal: late.signal })
    await Promise.race([turn, deadline])
    late.abort()
    deadline.catch(() => {})
    if (hasCome) return
    ahead.splice(ahead.indexOf(mine as () => void), 1)
    const because = `${ahead.length + 1} changes of this process wait or are at work`
    throw new HoldfastError('HOME_BUSY', { because }, { retryAfterMs: 1_000 })
  }

  #next(name: string): void {
    const waiting = this.#waiting.get(name)
    const next = waiting?.shift()
    if (next === undefined) this.#waiting.delete(name)
    else next()
  }
}
