import type { Entry, EventBody } from '../../model/entries.ts'
import { type AssistantMessage, type Message, textOf } from '../../model/messages.ts'
import { moment } from './words.ts'

/** Everything of a message as text: its words, what it shows besides words, and the tools it calls. */
export function entryText(entry: Entry): string {
  if (entry.kind === 'event') return (entry.body as EventBody).text
  const message = entry.body as Message
  return [textOf(message), ...otherParts(message), ...toolCalls(message)].filter((part) => part !== '').join('\n')
}

/** `#12  user  2026-11-21 08:14:02Z` */
export function entryHeading(entry: Entry): string {
  return `#${entry.seq}  ${entry.kind}  ${moment(entry.atMs)}`
}

function otherParts({ content }: Message): string[] {
  if (!Array.isArray(content)) return []
  return content.filter((part) => part.type !== 'text').map((part) => `[${part.type}]`)
}

function toolCalls(message: Message): string[] {
  const { tool_calls: calls = [] } = message as AssistantMessage
  return calls.map((call) => `→ ${call.function.name}(${call.function.arguments})`)
}
