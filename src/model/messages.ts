/**
 * Messages have the shape of OpenAI's chat completions, which every compatible server understands. Fields that are
 * not named here pass through untouched, both ways.
 */
export type Message = UserMessage | AssistantMessage | ToolMessage | SystemMessage

export type ContentPart =
  | { type: 'text'; text: string; [other: string]: unknown }
  | { type: 'image_url'; image_url: { url: string; detail?: string }; [other: string]: unknown }
  | { type: string; [other: string]: unknown }

export interface UserMessage {
  role: 'user'
  content: string | ContentPart[]
  name?: string
  [other: string]: unknown
}

export interface AssistantMessage {
  role: 'assistant'
  content: string | ContentPart[] | null
  tool_calls?: ToolCall[]
  [other: string]: unknown
}

export interface ToolCall {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
  [other: string]: unknown
}

export interface ToolMessage {
  role: 'tool'
  tool_call_id: string
  content: string | ContentPart[]
  [other: string]: unknown
}

export interface SystemMessage {
  role: 'system' | 'developer'
  content: string | ContentPart[]
  [other: string]: unknown
}

/** The words of a message, without images and other parts: for search, titles and exports. */
export function textOf(message: Message): string {
  const { content } = message
  if (typeof content === 'string') return content
  if (content === null || content === undefined) return ''
  return content.map((part) => (typeof part.text === 'string' ? part.text : '')).join('')
}
