import { countTokens, setMergeCacheSize } from 'gpt-tokenizer/encoding/o200k_base'
import type { Message, ToolCall } from '../model/messages.ts'
import { cutText } from '../model/text.ts'
import type { TurnRequest } from '../model/turns.ts'

/**
 * The one meter: trigger, cut and check all count with it. It counts as OpenAI's o200k_base does; for other models the
 * session's ratio ({@link nextMeterRatio}) corrects it. Every call is bounded in CPU (some 10 ms for the worst text).
 */

/**
 * UTF-16 units given to the tokenizer at once. It merges pairs in quadratic time over an unbroken run: 64 KB of Chinese
 * without a space took 14 s in one piece. A cut inside a run counts at most a few tokens too many.
 */
const sliceLength = 256
/** Up to here a text is counted whole: most messages are shorter. */
const countedWholeMax = 8_192
/** Slices counted of a longer text, evenly spread; together as long as a text that is counted whole. */
const slicesMax = countedWholeMax / sliceLength
/** Role, separators and end of one message; OpenAI's cookbook counts 3 to 4. */
const messageFraming = 4
/** Id, type and braces of one tool call. */
const callFraming = 8
/** What opens the model's answer. */
const replyFraming = 3
/** About what OpenAI takes for a 1024 × 1024 image in high detail (765) and what others take for larger ones. */
export const imageTokens = 1_000

/** Model words such as `<|endoftext|>` in a message are plain text. */
const asPlainText = { disallowedSpecial: new Set<string>() }

// The default of 100,000 remembered pieces of up to `sliceLength` units may grow to 100 MB.
setMergeCacheSize(10_000)

/** Tokens of a text: exact where words have spaces between them, up to 8,192 units; an estimate from samples beyond. */
export function countText(text: string): number {
  if (text.length <= countedWholeMax) return countRange(text, 0, text.length)
  const stride = text.length / slicesMax
  let tokens = 0
  for (let index = 0; index < slicesMax; index += 1) {
    const from = Math.floor(index * stride)
    tokens += countTokens(text.slice(from, from + sliceLength).toWellFormed(), asPlainText)
  }
  return Math.ceil((tokens * text.length) / (slicesMax * sliceLength))
}

function countRange(text: string, from: number, to: number): number {
  let tokens = 0
  for (let at = from; at < to; ) {
    const end = to - at <= sliceLength ? to : at + sliceEnd(text.slice(at, at + sliceLength))
    tokens += countTokens(text.slice(at, end), asPlainText)
    at = end
  }
  return tokens
}

/** Before the last space, where o200k_base begins a new piece anyway; else at a code point. */
function sliceEnd(slice: string): number {
  const space = slice.lastIndexOf(' ')
  return space > 0 ? space : cutText(slice, sliceLength - 1).length
}

/** Tokens of one message with its framing, tool calls, names and unknown text fields; parts that are no text cost a flat sum. */
export function countMessage(message: Message): number {
  const { role: _, content, tool_calls: calls, ...rest } = message as Message & { tool_calls?: unknown }
  let tokens = messageFraming + countContent(content)
  if (Array.isArray(calls)) for (const call of calls) tokens += countCall(call)
  for (const value of Object.values(rest)) if (typeof value === 'string') tokens += countText(value)
  return tokens
}

function countContent(content: Message['content']): number {
  if (typeof content === 'string') return countText(content)
  if (!Array.isArray(content)) return 0
  let tokens = 0
  for (const part of content) tokens += typeof part.text === 'string' ? countText(part.text) : imageTokens
  return tokens
}

function countCall(call: ToolCall): number {
  const { name, arguments: given } = call.function ?? {}
  if (typeof name === 'string' && typeof given === 'string') return callFraming + countText(name) + countText(given)
  return callFraming + countText(JSON.stringify(call))
}

export function countMessages(messages: readonly Message[]): number {
  let tokens = 0
  for (const message of messages) tokens += countMessage(message)
  return tokens
}

/** What a request costs beside history and new messages: instructions, tool definitions and the like. */
export function countRequest(request: Pick<TurnRequest, 'instructions' | 'params'>): number {
  return countMessages(request.instructions) + countParams(request.params)
}

/** The fields of a request that a provider shows to the model. */
export function countParams(params: TurnRequest['params']): number {
  let tokens = replyFraming
  for (const field of ['tools', 'functions', 'response_format'] as const) {
    if (params[field] !== undefined) tokens += countText(JSON.stringify(params[field]))
  }
  return tokens
}

/** The longest beginning of `text` with at most `tokensMax` tokens by {@link countText}. */
export function cutToTokens(text: string, tokensMax: number): string {
  let cut = text
  for (let tokens = countText(cut); tokens > tokensMax; tokens = countText(cut)) {
    // Aims a little below, so that a few rounds suffice.
    cut = cutText(cut, Math.max(0, Math.min(cut.length - 1, Math.floor((cut.length * tokensMax * 0.98) / tokens))))
  }
  return cut
}

/** Ratios beyond these are errors of the report, not of the meter. */
const ratioMin = 0.25
const ratioMax = 4
/** Smaller requests are mostly framing, which differs between models. */
const estimateMin = 64

/**
 * The session's correction after a provider reported `reported` tokens for what the meter counted as `estimated`
 * (uncorrected). Rises fast and falls slowly, because too low a ratio overfills the context. Reports that make no sense
 * (0, not a number, far off) change nothing.
 */
export function nextMeterRatio(previous: number, estimated: number, reported: number): number {
  const found = reported / estimated
  const makesSense = estimated >= estimateMin && found > ratioMin / 2 && found < ratioMax * 2
  const before = Number.isFinite(previous) ? clamp(previous) : 1
  if (!makesSense) return before
  const weight = found > before ? 0.5 : 0.2
  return clamp(before + (clamp(found) - before) * weight)
}

/**
 * After the model refused a context that was cut to fit: it counts more, or takes less, than assumed, and reports no
 * numbers. A few refusals in a row reach the highest ratio, so that a session is never stuck on one.
 */
export function ratioAfterTooLong(previous: number): number {
  return clamp(previous * 1.5)
}

function clamp(ratio: number): number {
  return Math.min(ratioMax, Math.max(ratioMin, ratio))
}
