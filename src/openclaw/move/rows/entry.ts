import { sha256 } from '../../../host/random.ts'
import { type EntryKind, type EventBody, entryKinds } from '../../../model/entries.ts'
import type { ContentPart, Message, ToolCall } from '../../../model/messages.ts'
import { cleanJson } from '../../../model/text.ts'

/**
 * What a row of a gateway's transcript is here. Messages become messages in the shape of OpenAI's chat completions; what else a
 * row holds (usage, reasoning, details of tools) has no place there, and stays in the row that is carried along beside.
 */
export interface Mapped {
  kind: EntryKind
  body: Message | EventBody
  /** False for a message that the gateway itself does not show to a model: mirrors of what was delivered, notes of its own. */
  shown: boolean
}

export type Fields = Readonly<Record<string, unknown>>

/** null: the row has no counterpart, or nests too deep; it is carried along. `row` is parsed JSON. */
export function entryOfRow(row: Fields): Mapped | null {
  const mapped = ownEntry(row) ?? entryOf(row)
  if (mapped === null) return null
  const { value, tooDeep } = cleanJson(mapped.body)
  return tooDeep ? null : { ...mapped, body: value }
}

function entryOf(row: Fields): Mapped | null {
  switch (row.type) {
    case 'message':
      return isFields(row.message) ? entryOfMessage(row.message) : null
    case 'custom_message':
      // a note for the model of one turn; of earlier turns the gateway leaves it out
      return userEntry(row.content, row.customType !== 'openclaw.runtime-context')
    case 'branch_summary':
      return typeof row.summary === 'string' ? userEntry(`${branchNote}\n\n${row.summary}`, true) : null
    case 'reset':
      return event('SESSION_RESET', `The conversation began anew${wordOf(row.reason, ' (', ')')}.`, row)
    default:
      return null
  }
}

const branchNote = '[Summary of a branch that this conversation came back from]'

function entryOfMessage(message: Fields): Mapped | null {
  switch (message.role) {
    case 'user':
    case 'custom':
      return userEntry(message.content, true)
    case 'assistant':
      return assistantEntry(message)
    case 'toolResult':
      return toolEntry(message)
    case 'bashExecution':
      return userEntry(commandText(message), message.excludeFromContext !== true)
    default:
      return null
  }
}

function userEntry(content: unknown, shown: boolean): Mapped | null {
  const parts = partsOf(content)
  return parts === null ? null : { kind: 'user', body: { role: 'user', content: joined(parts) }, shown }
}

/** Ends of an answer that a gateway leaves out when it asks again. */
const brokenEnds = ['error', 'aborted']
/** Copies of what was sent to a chat; the model has its own. */
const mirrors = ['delivery-mirror', 'gateway-injected']

function assistantEntry(message: Fields): Mapped | null {
  const blocks = blocksOf(message.content)
  if (blocks === null) return null
  const text = blocks
    .map((block) => (block.type === 'text' && typeof block.text === 'string' ? block.text : ''))
    .join('')
  const calls = blocks.filter((block) => block.type === 'toolCall').map(callOf)
  if (brokenEnds.includes(String(message.stopReason))) {
    const said = text === '' ? wordOf(message.errorMessage, '', '') : text
    return event('OPENCLAW_FAILED', said === '' ? `The answer ended in ${message.stopReason}.` : said, {})
  }
  if (text === '' && calls.length === 0) return event('OPENCLAW_EMPTY', 'The answer held no words and no calls.', {})
  const shown = message.provider !== 'openclaw' || !mirrors.includes(String(message.model))
  const body: Message = { role: 'assistant', content: text === '' ? null : text }
  return { kind: 'assistant', body: calls.length === 0 ? body : { ...body, tool_calls: calls }, shown }
}

function callOf(block: Fields): ToolCall {
  const given = block.arguments ?? {}
  const text = typeof given === 'string' ? given : JSON.stringify(given)
  return { id: String(block.id ?? ''), type: 'function', function: { name: String(block.name ?? ''), arguments: text } }
}

/** Providers take text only as the result of a tool. */
function toolEntry(message: Fields): Mapped | null {
  const parts = partsOf(message.content)
  if (parts === null || typeof message.toolCallId !== 'string') return null
  const texts = parts.map((part) => (part.type === 'text' ? part.text : '[image]'))
  const content = texts.join('\n')
  return { kind: 'tool', body: { role: 'tool', tool_call_id: message.toolCallId, content }, shown: true }
}

function commandText({ command, output, exitCode, cancelled, truncated }: Fields): string {
  const lines = [`Ran \`${String(command ?? '')}\``, wordOf(output, '```\n', '\n```') || '(no output)']
  if (cancelled === true) lines.push('(cancelled)')
  else if (typeof exitCode === 'number' && exitCode !== 0) lines.push(`It ended with code ${exitCode}.`)
  if (truncated === true) lines.push('(the output is cut)')
  return lines.join('\n')
}

/** Text and images; null where the content is neither a text nor a list. */
function partsOf(content: unknown): ({ type: 'text'; text: string } | ContentPart)[] | null {
  const blocks = blocksOf(content)
  return (
    blocks?.map((block) => {
      if (block.type === 'text' && typeof block.text === 'string') return { type: 'text', text: block.text }
      if (block.type !== 'image' || typeof block.data !== 'string') return { type: 'text', text: `[${block.type}]` }
      const url = `data:${wordOf(block.mimeType, '', '') || 'image/png'};base64,${block.data}`
      return { type: 'image_url', image_url: { url } }
    }) ?? null
  )
}

function blocksOf(content: unknown): Fields[] | null {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return Array.isArray(content) ? content.filter(isFields) : null
}

/** A list is for several parts: many servers take only a text. */
function joined(parts: ContentPart[]): string | ContentPart[] {
  const [only, ...more] = parts
  if (only === undefined) return ''
  return more.length === 0 && only.type === 'text' ? String(only.text) : parts
}

function event(code: string, text: string, { reason }: Fields): Mapped {
  const body = typeof reason === 'string' ? { code, text, reason } : { code, text }
  return { kind: 'event', body, shown: false }
}

/** What we wrote into a row when it was made from an entry: the entry itself, where the row says less than it did. */
export interface OwnField {
  kind: EntryKind
  body: Message | EventBody
  shown?: false
  /** SHA-256 of the row's message: when a gateway has changed that, the row counts. */
  of?: string
}

/** The member of a row in which {@link OwnField} stands, and the type of rows that hold nothing else. */
export const ownMember = 'holdfast'
export const ownType = 'holdfast.entry'

export const messageHash = (message: unknown): string => sha256(JSON.stringify(message) ?? '').slice(0, 16)

function ownEntry(row: Fields): Mapped | null {
  const isOwnRow = row.type === 'custom' && row.customType === ownType
  const own = isOwnRow ? row.data : row[ownMember]
  if (!isFields(own) || !isFields(own.body)) return null
  const kind = entryKinds.find((each) => each === own.kind)
  if (kind === undefined || (!isOwnRow && own.of !== messageHash(row.message))) return null
  return { kind, body: own.body as unknown as Message | EventBody, shown: own.shown !== false && kind !== 'event' }
}

function wordOf(value: unknown, before: string, after: string): string {
  return typeof value === 'string' && value !== '' ? before + value + after : ''
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object as its text has it; without members where the text is no object, or no JSON. */
export function fieldsIn(text: string): Fields {
  try {
    const parsed: unknown = JSON.parse(text)
    return isFields(parsed) ? parsed : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}
