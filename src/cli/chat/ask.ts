import type { TurnEvent } from '../../engine/events.ts'
import type { Entry } from '../../model/entries.ts'
import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Turn } from '../../model/turns.ts'
import { type Api, type StreamEvent, sessionPath } from '../reach/api.ts'

/** Two wishes of somebody who waits for an answer. */
export interface Impatience {
  /** The turn is to be cancelled; its end is still waited for. */
  cancel: AbortSignal
  /** Nothing is waited for any more. */
  leave: AbortSignal
}

/** What is shown while the answer is made. */
export interface AnswerView {
  /** The message is durable; nothing of the answer is there yet. */
  accepted(turnId: string): void
  piece(text: string): Promise<void>
  /** What was shown so far is void. */
  again(): Promise<void>
}

export interface Answer {
  turn: Turn
  reply: Entry[]
}

/**
 * Posts one message and follows its turn to the end.
 * @throws HoldfastError what the gateway refused it with; GATEWAY_UNREACHABLE when the gateway ended meanwhile
 */
export async function ask(
  api: Api,
  key: SessionKey,
  text: string,
  view: AnswerView,
  impatience: Impatience,
): Promise<Answer> {
  const body = { text, source: 'chat', stream: true }
  const { headers, events } = await api.stream('POST', sessionPath(key, '/turns'), body, impatience.leave)
  const turnId = headers.get('x-turn-id') ?? ''
  view.accepted(turnId)
  const cancelled = onceAborted(impatience.cancel, () =>
    api.call('POST', `/v1/turns/${encodeURIComponent(turnId)}/cancel`, { reason: 'cancelled in the chat' }),
  )
  try {
    for await (const event of whileConnected(events, key, impatience.leave)) {
      const known = event.data as TurnEvent
      switch (known.type) {
        case 'started':
          if (known.attempt > 1) await view.again()
          break
        case 'delta':
          await view.piece(known.delta.content ?? '')
          break
        case 'restarted':
          await view.again()
          break
        case 'settled':
          await cancelled.done()
          return { turn: known.turn, reply: known.reply }
      }
    }
  } finally {
    cancelled.forget()
  }
  throw ended(key)
}

/** A stream that ends with its process is told apart from one that ends with its turn. */
async function* whileConnected(events: AsyncIterable<StreamEvent>, key: SessionKey, leave: AbortSignal) {
  try {
    yield* events
  } catch (error) {
    if (leave.aborted || isHoldfastError(error)) throw error
    throw ended(key, error)
  }
}

function ended(key: SessionKey, cause?: unknown): HoldfastError {
  const because = `it ended while it answered. The message is kept; see holdfast sessions tail -f ${key}`
  return new HoldfastError('GATEWAY_UNREACHABLE', { because }, { cause })
}

/** Does `act` once when the signal is aborted; `done` waits for it when it has begun, and brings its error. */
function onceAborted(signal: AbortSignal, act: () => Promise<unknown>) {
  let acting: Promise<unknown> | null = null
  const listener = () => {
    acting = act().catch((error: unknown) => {
      if (!isHoldfastError(error, 'TURN_SETTLED')) throw error
    })
    acting.catch(() => {}) // seen by `done`
  }
  signal.addEventListener('abort', listener, { once: true })
  return {
    done: async () => {
      await acting
    },
    forget: () => signal.removeEventListener('abort', listener),
  }
}
