import { isDeepStrictEqual } from 'node:util'
import type { EntryKind, EventBody } from '../../../model/entries.ts'
import type { AssistantMessage, ContentPart, Message, ToolMessage } from '../../../model/messages.ts'
import { entryOfRow, type Fields, fieldsIn, isFields, messageHash, type OwnField, ownMember, ownType } from './entry.ts'

/** What stands at an entry's place in a gateway's transcript. */
export interface Link {
  id: string
  parentId: string | null
  atMs: number
}

export interface Given {
  kind: EntryKind
  body: Message | EventBody
  /** False for what the model is no longer shown: a gateway would show every message of a branch. */
  shown: boolean
}

/**
 * The row that a gateway reads as this entry; `entryOfRow` gives the same entry back. Where the row's own fields say less, the entry
 * stands in it under {@link ownMember}, which gateways keep and do not show. `toolNameOf` knows what was called by which id.
 */
export function rowOfEntry(given: Given, link: Link, toolNameOf: (callId: string) => string): Fields {
  const place = { id: link.id, parentId: link.parentId, timestamp: new Date(link.atMs).toISOString() }
  const { kind, body, shown } = given
  const message = shown ? messageOf(kind, body as Message, link.atMs, toolNameOf) : null
  if (message === null) {
    const own: OwnField = { kind, body, ...(shown || kind === 'event' ? {} : { shown }) }
    return { type: 'custom', customType: ownType, data: own, ...place }
  }
  const row = { type: 'message', ...place, message }
  const back = entryOfRow(row)
  if (back !== null && back.kind === kind && isDeepStrictEqual(back.body, body)) return row
  const own: OwnField = { kind, body, of: messageHash(message) }
  return { ...row, [ownMember]: own }
}

function messageOf(
  kind: EntryKind,
  message: Message,
  atMs: number,
  toolNameOf: (callId: string) => string,
): Fields | null {
  switch (kind) {
    case 'user':
      return { role: 'user', content: blocksOf(message.content), timestamp: atMs }
    case 'system':
      return { role: 'user', content: blocksOf(message.content), timestamp: atMs }
    case 'assistant':
      return assistantMessage(message as AssistantMessage, atMs)
    case 'tool':
      return toolMessage(message as ToolMessage, atMs, toolNameOf)
    case 'event':
      return null
  }
}

/** Gateways read the counts of an answer, also where nobody counted. */
const nothingUsed = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0 }
const freeOfCost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 }

function assistantMessage({ content, tool_calls: calls = [] }: AssistantMessage, atMs: number): Fields {
  const blocks = content === '' || content === null ? [] : blocksOf(content)
  for (const { id, function: called } of calls) {
    blocks.push({ type: 'toolCall', id, name: called.name, arguments: fieldsIn(called.arguments) }) // models sometimes give no object, or no JSON
  }
  return {
    role: 'assistant',
    content: blocks,
    ...{ api: 'openai-completions', provider: 'holdfast', model: 'holdfast' },
    usage: { ...nothingUsed, cost: freeOfCost },
    stopReason: calls.length > 0 ? 'toolUse' : 'stop',
    timestamp: atMs,
  }
}

function toolMessage({ tool_call_id: id, content }: ToolMessage, atMs: number, nameOf: (id: string) => string): Fields {
  const blocks = blocksOf(content)
  return {
    ...{ role: 'toolResult', toolCallId: id, toolName: nameOf(id), content: blocks, isError: false, timestamp: atMs },
  }
}

function blocksOf(content: string | ContentPart[] | null): Fields[] {
  if (content === null) return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part) => {
    if (part.type === 'text' && typeof part.text === 'string') return { type: 'text', text: part.text }
    return imageOf(part) ?? { type: 'text', text: `[${part.type}]` }
  })
}

function imageOf(part: ContentPart): Fields | null {
  const url = isFields(part.image_url) ? part.image_url.url : undefined
  const [, mimeType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(typeof url === 'string' ? url : '') ?? []
  return part.type === 'image_url' && data !== undefined ? { type: 'image', data, mimeType } : null
}
