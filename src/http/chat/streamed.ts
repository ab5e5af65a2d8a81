import type { TurnEvent } from '../../engine/events.ts'
import type { Clock } from '../../host/clock.ts'
import { type ErrorRecord, errorCatalog, isHoldfastError, recordOf } from '../../model/errors.ts'
import { errorBody, errorResponse } from '../errors.ts'
import { eventFrame, paced, streamResponse, waitingFrame } from '../stream.ts'
import { type Chunk, type ChunkMaker, outcomeOf } from './answer.ts'

/** How long an error still gets a true HTTP status; then the header goes out, because clients give up on silence. */
export const headerHeldMs = 2_000

type Piece = { kind: 'chunk'; chunk: Chunk } | { kind: 'failed'; error: ErrorRecord }

/**
 * Streams a turn to one client. An error before the first piece is a plain error response; later it is an event
 * `{"error": …}`, after which the stream ends without `[DONE]`. The turn itself never depends on the client.
 */
export async function streamedAnswer(input: {
  events: AsyncIterable<TurnEvent>
  chunks: ChunkMaker
  stop: AbortController
  clock: Clock
  headers: Record<string, string>
}): Promise<Response> {
  const pieces = paced(piecesOf(input.events, input.chunks), input.clock, headerHeldMs)
  const first = await pieces.next()
  const piece = first.done ? null : first.value
  if (piece?.kind === 'failed') {
    await pieces.return(undefined)
    return errorResponse(piece.error, true, input.headers)
  }
  return streamResponse(framesOf(piece, pieces), input.stop, input.headers)
}

async function* framesOf(first: Piece | null, rest: AsyncGenerator<Piece | null>): AsyncGenerator<string> {
  yield first === null ? waitingFrame : frameOf(first)
  for await (const piece of rest) {
    yield piece === null ? waitingFrame : frameOf(piece)
    if (piece?.kind === 'failed') return
  }
  yield 'data: [DONE]\n\n'
}

function frameOf(piece: Piece): string {
  switch (piece.kind) {
    case 'chunk':
      return eventFrame(piece.chunk)
    case 'failed':
      return eventFrame(errorBody(piece.error))
  }
}

async function* piecesOf(events: AsyncIterable<TurnEvent>, chunks: ChunkMaker): AsyncGenerator<Piece> {
  let isFirst = true
  try {
    for await (const event of events) {
      switch (event.type) {
        case 'started':
        case 'restarted':
          if (isFirst) break
          yield { kind: 'failed', error: begunAgain }
          return
        case 'delta':
          yield { kind: 'chunk', chunk: chunks.delta(event.delta, isFirst) }
          isFirst = false
          break
        case 'settled':
          if (event.turn.status !== 'done') {
            yield { kind: 'failed', error: outcomeOf(event.turn) }
            return
          }
          for (const chunk of chunks.end(event.turn, event.reply, isFirst)) yield { kind: 'chunk', chunk }
          return
      }
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    yield { kind: 'failed', error: recordOf(error) }
  }
}

/** What was sent cannot be taken back; the whole answer will stand in the session. */
const begunAgain: ErrorRecord = {
  code: 'TURN_INTERRUPTED',
  message: `${errorCatalog.TURN_INTERRUPTED.title}: the answer was begun again; read it from the session`,
  facts: {},
  retryAfterMs: null,
}
