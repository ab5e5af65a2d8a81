import type { Runner } from '../engine/runner.ts'
import { askModel } from './ask.ts'
import { type EndpointOptions, openEndpoint } from './endpoint.ts'

/**
 * A runner for any OpenAI-compatible server. Always streams from it; fields of the request and of the answer that
 * Holdfast does not know pass through. Its turns can end with the MODEL_ codes.
 */
export function openaiRunner(options: EndpointOptions): Runner {
  const endpoint = openEndpoint(options)
  return async (turn) => {
    const { id, context: messages, params, signal, streaming } = turn
    turn.progress('asks the model')
    const { message, finishReason, usage } = await askModel(
      endpoint,
      { id, messages, params, signal, streaming },
      {
        delta: (delta) => turn.emit(delta),
        restart: () => turn.restart(),
        note: (text) => turn.progress(text),
      },
    )
    return { messages: [message], finishReason, ...(usage === null ? {} : { usage }) }
  }
}
