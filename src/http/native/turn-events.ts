import type { TurnEvent } from '../../engine/events.ts'
import type { Holdfast } from '../../engine/holdfast.ts'
import type { Clock } from '../../host/clock.ts'
import { isHoldfastError, recordOf } from '../../model/errors.ts'
import { errorBody } from '../errors.ts'
import { atOnceMs, eventFrame, paced, stopWith, streamResponse, waitingFrame } from '../stream.ts'

/** The events of one turn to one client; an error on the way is an event `error`, and the last. */
export function turnEventsResponse(holdfast: Holdfast, clock: Clock, id: string, signal: AbortSignal): Response {
  const stop = stopWith(signal)
  const events = paced(holdfast.follow(id, stop.signal), clock, atOnceMs)
  return streamResponse(framesOf(events), stop, { 'x-turn-id': id })
}

async function* framesOf(events: AsyncIterable<TurnEvent | null>): AsyncGenerator<string> {
  try {
    for await (const event of events) {
      yield event === null ? waitingFrame : eventFrame(event, { event: event.type })
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    yield eventFrame(errorBody(recordOf(error)), { event: 'error' })
  }
}
