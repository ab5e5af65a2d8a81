import { z } from 'zod'
import { sha256 } from '../../host/random.ts'
import { HoldfastError } from '../../model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../model/keys.ts'
import type { Message, SystemMessage } from '../../model/messages.ts'
import { type BusyPolicy, busyPolicies } from '../../model/turns.ts'
import { messagesSchema } from '../messages.ts'
import { checked, oneOf } from '../route.ts'

/** Which names this gateway's model answers to. The first is its own. */
export interface Models {
  name: string
  aliases: readonly string[]
}

export const completionRequestSchema = z
  .looseObject({
    model: z.string({ error: 'must be the name of a model' }).optional(),
    messages: messagesSchema,
    stream: z.boolean({ error: 'must be true or false' }).nullable().optional(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullable().optional() }).nullable().optional(),
    n: z.literal(1, { error: 'must be 1: a turn has one answer' }).nullable().optional(),
    user: z.string({ error: 'must be a text' }).nullable().optional(),
  })
  .meta({ id: 'ChatCompletionRequest', description: 'Other fields pass through to the model.' })

/** A chat completion request, understood. */
export interface CompletionRequest {
  key: SessionKey
  messages: Message[]
  instructions: SystemMessage[]
  params: Record<string, unknown>
  streaming: boolean
  includeUsage: boolean
  dedupeKey: string | null
  onBusy: BusyPolicy | null
  /** Who shares the lane as one. */
  source: string
}

/**
 * What of a request is new: the messages after its last assistant message. History comes from the session.
 * `newId` names the session when nothing else does.
 * @throws HoldfastError REQUEST_INVALID, SESSION_KEY_INVALID, MODEL_UNKNOWN
 */
export function parseCompletionRequest(
  body: z.output<typeof completionRequestSchema>,
  headers: Headers,
  models: Models,
  newId: () => string,
): CompletionRequest {
  const { model, messages, stream, stream_options, user, ...params } = body
  checkModel(model, models)
  const dedupeKey = dedupeKeyOf(headers)
  return {
    key: sessionKeyOf(headers, user ?? null, dedupeKey, newId),
    instructions: leadingInstructions(messages),
    messages: newInputOf(messages),
    params,
    streaming: stream ?? false,
    includeUsage: stream_options?.include_usage ?? false,
    dedupeKey,
    onBusy: onBusyOf(headers),
    source: sourceOf(headers),
  }
}

function checkModel(asked: string | undefined, { name, aliases }: Models): void {
  if (asked === undefined || asked === name || aliases.includes(asked)) return
  throw new HoldfastError('MODEL_UNKNOWN', { because: `it serves ${[name, ...aliases].join(', ')}`, param: 'model' })
}

function isInstruction(message: Message): message is SystemMessage {
  return message.role === 'system' || message.role === 'developer'
}

function leadingInstructions(messages: readonly Message[]): SystemMessage[] {
  const first = messages.findIndex((message) => !isInstruction(message))
  return messages.slice(0, first === -1 ? messages.length : first).filter(isInstruction)
}

function newInputOf(messages: readonly Message[]): Message[] {
  const answered = messages.findLastIndex((message) => message.role === 'assistant') + 1
  const start = answered === 0 ? leadingInstructions(messages).length : answered
  const input = messages.slice(start)
  if (input.some((message) => message.role === 'user' || message.role === 'tool')) return input
  throw new HoldfastError('REQUEST_INVALID', {
    because: 'messages: there must be a user or tool message after the last assistant message',
    param: 'messages',
  })
}

function sessionKeyOf(
  headers: Headers,
  user: string | null,
  dedupeKey: string | null,
  newId: () => string,
): SessionKey {
  const named = headers.get('x-session-key') ?? headers.get('x-openclaw-session-key')
  if (named !== null) return parseSessionKey(named)
  if (user !== null && user !== '') return parseSessionKey(`agent:main:user:${user}`)
  // a repeat of a request without a session must find the session of the first
  const id = dedupeKey === null ? newId() : sha256(dedupeKey).slice(0, 32)
  return parseSessionKey(`agent:main:chat:${id}`)
}

const sourceError = 'must be 1 to 64 characters'
const dedupeKeyError = 'must be 1 to 255 visible ASCII characters'

/** The `idempotency-key` header; null without one. @throws HoldfastError REQUEST_INVALID */
export function dedupeKeyOf(headers: Headers): string | null {
  const found = headers.get('idempotency-key')
  if (found === null) return null
  return checked(z.string().regex(/^[\x21-\x7e]{1,255}$/, { error: dedupeKeyError }), found, 'idempotency-key')
}

function sourceOf(headers: Headers): string {
  const found = headers.get('x-source')
  if (found === null) return 'chat-completions'
  return checked(z.string().min(1, { error: sourceError }).max(64, { error: sourceError }), found, 'x-source')
}

function onBusyOf(headers: Headers): BusyPolicy | null {
  const found = headers.get('x-on-busy')
  return found === null ? null : checked(oneOf(busyPolicies), found, 'x-on-busy')
}
