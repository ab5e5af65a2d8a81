import { z } from 'zod'
import type { AnswerDelta } from '../../engine/runner.ts'
import type { Entry } from '../../model/entries.ts'
import { type ErrorRecord, errorCatalog } from '../../model/errors.ts'
import type { AssistantMessage, Message } from '../../model/messages.ts'
import type { Turn, Usage } from '../../model/turns.ts'

/** Answers in the shape of OpenAI's chat completions. */

const usageSchema = z.strictObject({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
})

const head = { id: z.string(), created: z.int().describe('Seconds since the epoch.'), model: z.string() }

export const completionSchema = z
  .strictObject({
    ...head,
    object: z.literal('chat.completion'),
    choices: z.array(
      z.strictObject({
        index: z.literal(0),
        message: z.looseObject({ role: z.literal('assistant'), content: z.unknown() }),
        logprobs: z.null(),
        finish_reason: z.string(),
      }),
    ),
    usage: usageSchema.optional().describe('As the provider reported it; absent when it did not.'),
  })
  .meta({ id: 'ChatCompletion' })

export const chunkSchema = z
  .strictObject({
    ...head,
    object: z.literal('chat.completion.chunk'),
    choices: z.array(
      z.strictObject({
        index: z.literal(0),
        delta: z.looseObject({}),
        logprobs: z.null(),
        finish_reason: z.string().nullable(),
      }),
    ),
    usage: usageSchema.nullable().optional(),
  })
  .meta({ id: 'ChatCompletionChunk' })

export type Completion = z.output<typeof completionSchema>
export type Chunk = z.output<typeof chunkSchema>

/** @param reply entries of a turn that is done */
export function completionOf(turn: Turn, reply: readonly Entry[], model: string): Completion {
  const message = answerIn(reply)
  return {
    ...headOf(turn, model),
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasonOf(turn, message) }],
    ...(turn.usage === null ? {} : { usage: usageOf(turn.usage) }),
  }
}

/** The pieces of one streamed answer. `includeUsage`: every chunk has the field, as OpenAI does it. */
export class ChunkMaker {
  readonly #head: ReturnType<typeof headOf>
  readonly #includeUsage: boolean

  constructor(turn: Turn, model: string, includeUsage: boolean) {
    this.#head = headOf(turn, model)
    this.#includeUsage = includeUsage
  }

  delta(delta: AnswerDelta, isFirst: boolean): Chunk {
    return this.#chunk(isFirst ? { role: 'assistant', ...delta } : delta, null)
  }

  /** The end of a turn that is done: its stored answer when nothing was streamed before, why it ended, what it used. */
  end(turn: Turn, reply: readonly Entry[], isFirst: boolean): Chunk[] {
    const message = answerIn(reply)
    const whole = isFirst ? [this.#chunk(deltaOf(message), null)] : []
    const last = this.#chunk({}, finishReasonOf(turn, message))
    const wantsUsage = this.#includeUsage && turn.usage !== null
    const usage = wantsUsage ? [{ ...last, choices: [], usage: usageOf(turn.usage as Usage) }] : []
    return [...whole, last, ...usage]
  }

  #chunk(delta: AnswerDelta, finishReason: string | null): Chunk {
    return {
      ...this.#head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(this.#includeUsage ? { usage: null } : {}),
    }
  }
}

/** The same for every repeat of a request, so that a repeat gives the same completion. */
function headOf(turn: Turn, model: string) {
  return { id: `chatcmpl-${turn.id}`, created: Math.floor(turn.admittedAtMs / 1_000), model }
}

/** The last assistant message; one without words when the runner stored none. */
function answerIn(reply: readonly Entry[]): AssistantMessage {
  const entry = reply.findLast(({ kind }) => kind === 'assistant')
  const message = entry?.body as Message | undefined // entries of this kind hold messages
  return message?.role === 'assistant' ? message : { role: 'assistant', content: '' }
}

function finishReasonOf(turn: Turn, message: AssistantMessage): string {
  return turn.finishReason ?? (message.tool_calls === undefined ? 'stop' : 'tool_calls')
}

/** In a stream, tool calls are pieces that name their place. */
function deltaOf({ tool_calls, ...message }: AssistantMessage): AnswerDelta {
  const calls = tool_calls?.map((call, index) => ({ index, ...call }))
  return { ...message, ...(calls === undefined ? {} : { tool_calls: calls }) } as AnswerDelta
}

function usageOf(usage: Usage): z.output<typeof usageSchema> {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
  }
}

/** Why a turn that is not done ended. */
export function outcomeOf(turn: Turn): ErrorRecord {
  const { title } = errorCatalog.INTERNAL
  return turn.outcome ?? { code: 'INTERNAL', message: title, facts: { status: turn.status }, retryAfterMs: null }
}
