import { HoldfastError } from '../../model/errors.ts'
import type { TurnDetail } from '../../store/turns.ts'
import type { TurnEvent } from '../events.ts'
import type { AnswerDelta } from '../runner.ts'
import { until } from '../waiting.ts'

/** Deltas that are kept apart before those that everybody has seen are merged. */
const apartMax = 512

/** An answer in the making is memory; a model's is a thousand times smaller. UTF-16 units of JSON. */
const emittedLengthMax = 32 * 1024 ** 2
/** What a delta takes beside its text while a follower who does not read keeps it from being merged. */
const deltaOverhead = 64

/** Turns that are followed or running here. Who joins late sees the current attempt from its start. */
export class Live {
  readonly #channels = new Map<string, Channel>()

  begin(turnId: string, attempt: number): void {
    this.#channelOf(turnId).begin(attempt)
  }

  /** @throws HoldfastError RUNNER_FAILED when the answer outgrows its bound */
  emit(turnId: string, delta: AnswerDelta): void {
    this.#channels.get(turnId)?.emit(delta)
  }

  restart(turnId: string): void {
    this.#channels.get(turnId)?.restart()
  }

  isFollowed(turnId: string): boolean {
    return (this.#channels.get(turnId)?.seats ?? 0) > 0
  }

  followed(): string[] {
    return [...this.#channels].filter(([, { seats }]) => seats > 0).map(([turnId]) => turnId)
  }

  /** The turn has ended. Who joins afterwards reads the store. */
  end(turnId: string, ended: TurnDetail | Error): void {
    this.#channels.get(turnId)?.end(ended)
    this.#channels.delete(turnId)
  }

  /** Nobody follows it: nothing is told. */
  forget(turnId: string): void {
    this.#channels.delete(turnId)
  }

  /** A place among the followers; dispose of it afterwards. */
  join(turnId: string): Seat {
    const channel = this.#channelOf(turnId)
    channel.seats += 1
    return {
      ended: channel.ended,
      events: (signal) => channel.events(signal),
      [Symbol.dispose]: () => {
        channel.seats -= 1
        if (channel.seats === 0 && !channel.begun && this.#channels.get(turnId) === channel) this.forget(turnId)
      },
    }
  }

  close(error: Error): void {
    for (const turnId of [...this.#channels.keys()]) this.end(turnId, error)
  }

  #channelOf(turnId: string): Channel {
    const found = this.#channels.get(turnId) ?? new Channel()
    this.#channels.set(turnId, found)
    return found
  }
}

export interface Seat extends Disposable {
  /** Rejects when how it ended cannot be told: the store failed to say, or the gateway closes. */
  readonly ended: Promise<TurnDetail>
  events(signal: AbortSignal | undefined): AsyncGenerator<TurnEvent, void, undefined>
}

/**
 * One turn's events, shared by all its followers, who keep their own places: `#head` is what all have passed, merged
 * for those to come, `#tail` the rest.
 */
class Channel {
  seats = 0
  begun = false
  readonly ended: Promise<TurnDetail>
  readonly #ending = Promise.withResolvers<TurnDetail>()
  #head: readonly TurnEvent[] = []
  #tail: TurnEvent[] = []
  /** Place of the tail's first event, counted from the beginning. */
  #tailFrom = 0
  #emittedLength = 0
  #failed: Error | null = null
  readonly #places = new Set<{ next: number }>()
  #grown = Promise.withResolvers<void>()

  constructor() {
    this.ended = this.#ending.promise
    this.ended.catch(() => {}) // followers are told through their events as well; nobody may be waiting for this one
  }

  begin(attempt: number): void {
    if (this.begun) this.restart()
    this.begun = true
    this.#push({ type: 'started', attempt })
  }

  restart(): void {
    this.#push({ type: 'restarted' })
  }

  emit(delta: AnswerDelta): void {
    this.#emittedLength += deltaOverhead
    this.#emittedLength += onlyContent(delta) ? delta.content.length : JSON.stringify(delta).length
    if (this.#emittedLength > emittedLengthMax) {
      throw new HoldfastError('RUNNER_FAILED', { because: `it emitted more than ${emittedLengthMax} characters` })
    }
    this.#push({ type: 'delta', delta })
    if (this.#tail.length > apartMax) this.#merge()
  }

  end(ended: TurnDetail | Error): void {
    if (ended instanceof Error) {
      this.#failed = ended
      this.#ending.reject(ended)
      this.#tell()
    } else {
      this.#ending.resolve(ended)
      this.#push({ type: 'settled', turn: ended.turn, reply: ended.turn.status === 'done' ? ended.reply : [] })
    }
  }

  /** Ends after `settled`. */
  async *events(signal: AbortSignal | undefined): AsyncGenerator<TurnEvent, void, undefined> {
    const head = this.#head
    const place = { next: this.#tailFrom }
    this.#places.add(place)
    try {
      yield* head
      for (;;) {
        const event = this.#tail[place.next - this.#tailFrom]
        if (event !== undefined) {
          place.next += 1
          yield event
          if (event.type === 'settled') return
        } else if (this.#failed !== null) {
          throw this.#failed
        } else {
          await until(this.#grown.promise, signal)
        }
      }
    } finally {
      this.#places.delete(place)
    }
  }

  #push(event: TurnEvent): void {
    this.#tail.push(event)
    this.#tell()
  }

  #tell(): void {
    this.#grown.resolve()
    this.#grown = Promise.withResolvers<void>()
  }

  #merge(): void {
    const upTo = Math.min(this.#tailFrom + this.#tail.length, ...[...this.#places].map((place) => place.next))
    if (upTo - this.#tailFrom < apartMax / 2) return // a slow follower; copying the head for a few events is no gain
    const passed = this.#tail.splice(0, upTo - this.#tailFrom)
    this.#tailFrom = upTo
    this.#head = passed.reduce(merged, [...this.#head])
  }
}

function merged(events: TurnEvent[], event: TurnEvent): TurnEvent[] {
  if (event.type === 'restarted') return [...events.filter(({ type }) => type !== 'delta'), event]
  const last = events.at(-1)
  if (event.type === 'delta' && last?.type === 'delta' && onlyContent(last.delta) && onlyContent(event.delta)) {
    events[events.length - 1] = { type: 'delta', delta: { content: last.delta.content + event.delta.content } }
  } else {
    events.push(event)
  }
  return events
}

function onlyContent(delta: AnswerDelta): delta is { content: string } {
  return typeof delta.content === 'string' && Object.keys(delta).length === 1
}
