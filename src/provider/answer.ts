import type { AnswerDelta } from '../engine/runner.ts'
import type { AssistantMessage, ContentPart, ToolCall } from '../model/messages.ts'
import type { Usage } from '../model/turns.ts'

/** One chunk of an OpenAI stream, as far as Holdfast looks into it. Servers leave out any of it. */
export interface AnswerChunk {
  choices?: { index?: number; delta?: AnswerDelta | null; finish_reason?: string | null }[] | null
  usage?: { prompt_tokens?: number; completion_tokens?: number; total_tokens?: number } | null
}

type Fields = Record<string, unknown>

/**
 * Puts a streamed answer together, field by field, also those it does not know: texts and lists grow, the rest is
 * replaced. Only the first choice counts.
 */
export class AnswerBuilder {
  #message: Fields = { role: 'assistant', content: null }
  readonly #calls: Fields[] = []
  finishReason: string | null = null
  usage: Usage | null = null

  /** Gives the delta to pass on, if the chunk has one. */
  add(chunk: AnswerChunk): AnswerDelta | null {
    if (chunk.usage) this.usage = usageOf(chunk.usage)
    const choice = chunk.choices?.find((each) => (each.index ?? 0) === 0)
    if (choice?.finish_reason) this.finishReason = choice.finish_reason
    const delta = choice?.delta
    if (!delta) return null
    const { tool_calls: calls, ...rest } = delta
    this.#message = merged(this.#message, rest)
    if (Array.isArray(calls)) for (const call of calls) this.#addCall(call as Fields)
    return delta
  }

  get empty(): boolean {
    const { content, refusal } = this.#message
    const blank = (value: unknown) =>
      value === null || value === undefined || (value as string | unknown[]).length === 0
    return this.#calls.length === 0 && blank(content) && blank(refusal) && this.#message.function_call === undefined
  }

  get message(): AssistantMessage {
    const message = this.#message as unknown as AssistantMessage
    if (this.#calls.length === 0) return message
    return { ...message, tool_calls: this.#calls.map(({ index: _, ...call }) => call as unknown as ToolCall) }
  }

  /** Some servers give every call of an answer the index 0, or none; then another id is another call. */
  #addCall(delta: Fields): void {
    const { index, id } = delta
    const named = (call: Fields) => typeof id === 'string' && id !== '' && call.id !== undefined && call.id !== id
    const at = this.#calls.findLastIndex((call) => index === undefined || call.index === index)
    const found = this.#calls[at]
    if (found === undefined || named(found)) this.#calls.push(merged({ type: 'function' }, delta))
    else this.#calls[at] = merged(found, delta)
  }
}

/** Does a delta hold anything that a reader sees? The first one often has a role and empty content only. */
export function showsSomething(delta: AnswerDelta): boolean {
  return Object.entries(delta).some(([name, value]) => name !== 'role' && value !== null && value !== '')
}

/** Servers repeat these whole instead of sending them in pieces. */
const wholeFields = new Set(['id', 'type', 'role', 'name', 'index'])

function merged(before: Fields, delta: Fields): Fields {
  const result = { ...before }
  for (const [name, value] of Object.entries(delta)) {
    if (value === null || value === undefined) continue
    if (name === 'role' || (wholeFields.has(name) && value === '')) continue
    result[name] = wholeFields.has(name) ? value : grown(before[name], value)
  }
  return result
}

function grown(before: unknown, value: unknown): unknown {
  if (before === null || before === undefined) return value
  if (typeof before === 'string' && typeof value === 'string') return before + value
  if (Array.isArray(before) || Array.isArray(value)) return [...partsOf(before), ...partsOf(value)]
  if (typeof before === 'object' && typeof value === 'object') return merged(before as Fields, value as Fields)
  return value
}

/** Content can begin as text and go on in parts. */
function partsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value } satisfies ContentPart]
  return [value]
}

function usageOf(reported: NonNullable<AnswerChunk['usage']>): Usage {
  const promptTokens = reported.prompt_tokens ?? 0
  const completionTokens = reported.completion_tokens ?? 0
  return { promptTokens, completionTokens, totalTokens: reported.total_tokens ?? promptTokens + completionTokens }
}
