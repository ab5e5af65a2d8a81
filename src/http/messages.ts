import { z } from 'zod'
import type { Message, SystemMessage } from '../model/messages.ts'

/** Messages as clients send them: what Holdfast relies on is checked, everything else passes through. */

const contentError = 'must be a text, or a list of parts that have a `type`'

const part = z.looseObject({ type: z.string() }).superRefine((found, context) => {
  if (found.type === 'text' && typeof found.text !== 'string') {
    context.addIssue({ code: 'custom', path: ['text'], message: 'must be a text' })
  }
  const image = found.image_url as { url?: unknown } | null | undefined
  if (found.type === 'image_url' && typeof image?.url !== 'string') {
    context.addIssue({ code: 'custom', path: ['image_url', 'url'], message: 'must be an address or a data URL' })
  }
})

const content = z.union([z.string(), z.array(part)], { error: contentError })

const toolCall = z.looseObject({
  id: z.string({ error: 'must be a text' }),
  type: z.literal('function', { error: 'must be "function"' }),
  function: z.looseObject({ name: z.string(), arguments: z.string({ error: 'must be JSON as a text' }) }),
})

const system = z.looseObject({ role: z.literal('system'), content })
const developer = z.looseObject({ role: z.literal('developer'), content })
const user = z.looseObject({ role: z.literal('user'), content, name: z.string().exactOptional() })
const assistant = z.looseObject({
  role: z.literal('assistant'),
  content: content.nullable().prefault(null),
  tool_calls: z.array(toolCall).exactOptional(),
})
const tool = z.looseObject({
  role: z.literal('tool'),
  tool_call_id: z.string({ error: 'must be the id of a tool call' }),
  content,
})

export const messageSchema = z
  .discriminatedUnion('role', [user, assistant, tool, system, developer], {
    error: 'must be an object whose `role` is system, developer, user, assistant or tool',
  })
  .meta({ id: 'Message' }) satisfies z.ZodType<Message>

export const instructionSchema = z.discriminatedUnion('role', [system, developer], {
  error: 'must be an object whose `role` is system or developer',
}) satisfies z.ZodType<SystemMessage>

export const messagesSchema = z.array(messageSchema, { error: 'must be a list of messages' }).min(1, {
  error: 'must hold at least one message',
})
