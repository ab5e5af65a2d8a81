import { z } from 'zod'
import { randomId } from '../../host/random.ts'
import { isHoldfastError, recordOf } from '../../model/errors.ts'
import type { TurnDetail } from '../../store/turns.ts'
import type { AppDeps } from '../deps.ts'
import { errorResponse } from '../errors.ts'
import { events, get, json, post, type Route } from '../route.ts'
import { stopWith } from '../stream.ts'
import { ChunkMaker, chunkSchema, completionOf, completionSchema, outcomeOf } from './answer.ts'
import { completionRequestSchema, parseCompletionRequest } from './request.ts'
import { streamedAnswer } from './streamed.ts'

const modelsSchema = z.strictObject({
  object: z.literal('list'),
  data: z.array(z.strictObject({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })),
})

export function chatRoutes(deps: AppDeps): Route[] {
  const { holdfast, models, clock } = deps
  const completions = post({
    path: '/v1/chat/completions',
    tag: 'OpenAI',
    summary: 'Sends the new messages to a session and gives its answer, streamed or whole.',
    headers: [
      { name: 'x-session-key', description: 'The session; else `user` names one, else a new one is opened.' },
      { name: 'x-openclaw-session-key', description: 'The same, as OpenClaw calls it.' },
      { name: 'idempotency-key', description: 'A repeat with the same key is the same turn, also while it runs.' },
      { name: 'x-on-busy', description: 'queue, coalesce, interrupt or reject, when the session is busy.' },
      { name: 'x-source', description: 'Who sends it; a lane is shared out between sources. Else `chat-completions`.' },
    ],
    body: completionRequestSchema,
    reply: {
      ...json(completionSchema, 'The answer. Headers: x-session-key, x-turn-id, x-holdfast-repeated.'),
      also: [events(chunkSchema, 'With `stream`: chunks, then `[DONE]`.')],
    },
    errors: [
      'REQUEST_INVALID',
      'REQUEST_TOO_LARGE',
      'CONTEXT_TOO_LARGE',
      'SESSION_KEY_INVALID',
      'SESSION_BUSY',
      'QUEUE_FULL',
      'IDEMPOTENCY_MISMATCH',
      'MODEL_UNKNOWN',
      'MODEL_RATE_LIMITED',
      'MODEL_UNAVAILABLE',
      'MODEL_TIMEOUT',
      'TURN_CANCELLED',
      'STORE_FULL',
      'STORE_IO',
      'GATEWAY_CLOSING',
    ],
    async handle({ body, request }) {
      const asked = parseCompletionRequest(body, request.headers, models, randomId)
      const { turn, repeated } = await holdfast.submit({
        key: asked.key,
        messages: asked.messages,
        instructions: asked.instructions,
        params: asked.params,
        streaming: asked.streaming,
        dedupeKey: asked.dedupeKey,
        onBusy: asked.onBusy ?? deps.onBusy,
        source: asked.source,
      })
      const headers = {
        'x-session-key': turn.sessionKey,
        'x-turn-id': turn.id,
        'x-holdfast-repeated': String(repeated),
      }
      const stop = stopWith(request.signal)
      if (asked.streaming) {
        const chunks = new ChunkMaker(turn, models.name, asked.includeUsage)
        return streamedAnswer({ events: holdfast.follow(turn.id, stop.signal), chunks, stop, clock, headers })
      }
      return wholeAnswer(holdfast.settled(turn.id, stop.signal), models.name, headers)
    },
  })

  const listModels = get({
    path: '/v1/models',
    tag: 'OpenAI',
    summary: 'The names that this gateway answers to.',
    reply: json(modelsSchema, 'One model under all of its names.'),
    async handle() {
      const since = Math.floor(holdfast.holder.sinceMs / 1_000)
      const model = (id: string) => ({ id, object: 'model', created: since, owned_by: 'holdfast' })
      return { object: 'list', data: [models.name, ...models.aliases].map(model) }
    },
  })

  return [completions, listModels]
}

async function wholeAnswer(
  ended: Promise<TurnDetail>,
  model: string,
  headers: Record<string, string>,
): Promise<Response> {
  try {
    const { turn, reply } = await ended
    if (turn.status !== 'done') return errorResponse(outcomeOf(turn), true, headers)
    return Response.json(completionOf(turn, reply, model), { headers })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return errorResponse(recordOf(error), true, headers)
  }
}
