import { type Message, textOf } from '../../model/messages.ts'
import type { TurnDetail } from '../../store/turns.ts'
import type { TurnEvent } from '../events.ts'
import type { Live } from './live.ts'

/**
 * What followers here have been given of a turn that runs in another process. When the way to it breaks off and is found again, its
 * events begin anew: what was passed on already is passed over.
 */
export class Bridge {
  readonly #live: Live
  readonly #turnId: string
  #attempt = 0
  /** Text of the answer that was passed on. */
  #text = ''
  /** Nothing but text was passed on, so that it can be compared. */
  #plain = true
  /** How much of what comes now was passed on before. Unit: UTF-16 code units. */
  #over = 0
  #whole = false

  constructor(live: Live, turnId: string) {
    this.#live = live
    this.#turnId = turnId
  }

  pass(event: Exclude<TurnEvent, { type: 'settled' }>): void {
    switch (event.type) {
      case 'started':
        if (event.attempt === this.#attempt && this.#plain) {
          this.#over = this.#text.length
        } else {
          this.#begin(event.attempt)
          this.#live.begin(this.#turnId, event.attempt)
        }
        break
      case 'restarted':
        this.#begin(this.#attempt)
        this.#live.restart(this.#turnId)
        break
      case 'delta': {
        const { content } = event.delta
        const isText = typeof content === 'string' && Object.keys(event.delta).length === 1
        if (!isText) {
          this.#plain = false
          this.#live.emit(this.#turnId, event.delta)
        } else {
          this.#passText(content)
        }
      }
    }
  }

  /** Everything was passed on that its own followers were given. */
  complete(): void {
    this.#whole = true
  }

  get isWhole(): boolean {
    return this.#whole
  }

  /** The turn has ended: what was not passed on of its answer is, or what was is taken back. */
  end({ turn, reply }: TurnDetail): void {
    const nothing = this.#text === '' && this.#plain
    if (this.#whole || nothing || turn.status !== 'done') return
    const last = reply.findLast(({ kind }) => kind === 'assistant')?.body as Message | undefined
    const text = last === undefined ? '' : textOf(last)
    if (this.#plain && text.startsWith(this.#text)) this.#emit(text.slice(this.#text.length))
    else this.#live.restart(this.#turnId)
  }

  #begin(attempt: number): void {
    this.#attempt = attempt
    this.#text = ''
    this.#plain = true
    this.#over = 0
  }

  #passText(content: string): void {
    const over = Math.min(this.#over, content.length)
    this.#over -= over
    this.#emit(content.slice(over))
  }

  #emit(content: string): void {
    if (content === '') return
    this.#text += content
    this.#live.emit(this.#turnId, { content })
  }
}
