import type { AssistantMessage, Message, ToolCall, ToolMessage } from '../model/messages.ts'

/** What the model is told of a tool call whose result was never recorded (the process ended, the turn was cut off). */
export const missingResult = 'No result was recorded.'

/**
 * Makes a stretch of history acceptable to a provider: every tool result follows the call that it answers, every call
 * has one result. Results without a call are dropped; calls without a result get {@link missingResult}, except those in
 * `answeredLater`, whose results come right after this stretch.
 */
export function pairHistory(messages: readonly Message[], answeredLater: ReadonlySet<string>): Message[] {
  const paired: Message[] = []
  let open = new Set<string>()
  const close = (except: ReadonlySet<string>) => {
    for (const id of open) if (!except.has(id)) paired.push(standInResult(id))
    open = new Set()
  }
  for (const message of messages) {
    if (message.role === 'tool') {
      if (open.delete(message.tool_call_id)) paired.push(message)
      continue
    }
    close(new Set())
    paired.push(withoutEmptyCalls(message))
    open = new Set(callsOf(message).map((call) => call.id))
  }
  close(answeredLater)
  return paired
}

/**
 * The turn's own messages, whole and in order. A tool result among them that answers no call (`open` are the calls that
 * the history left open for them) gets a stand-in call before it.
 */
export function pairOwn(messages: readonly Message[], open: ReadonlySet<string>): Message[] {
  const paired: Message[] = []
  let waiting = new Set(open)
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!waiting.delete(message.tool_call_id)) {
        const ids = resultIds(messages.slice(index))
        paired.push({ role: 'assistant', content: null, tool_calls: ids.map(standInCall) })
        waiting = new Set(ids)
        waiting.delete(message.tool_call_id)
      }
    } else {
      waiting = new Set(callsOf(message).map((call) => call.id))
    }
    paired.push(message)
  }
  return paired
}

/** Ids of the tool results that `messages` opens with, each once. */
export function resultIds(messages: readonly Message[]): string[] {
  const end = messages.findIndex((message) => message.role !== 'tool')
  const results = messages.slice(0, end === -1 ? messages.length : end) as ToolMessage[]
  return [...new Set(results.map((message) => message.tool_call_id))]
}

/** Calls that the end of this stretch leaves without a result. */
export function openCalls(messages: readonly Message[]): Set<string> {
  let open = new Set<string>()
  for (const message of messages) {
    if (message.role === 'tool') open.delete(message.tool_call_id)
    else open = new Set(callsOf(message).map((call) => call.id))
  }
  return open
}

function callsOf(message: Message): ToolCall[] {
  const calls = message.role === 'assistant' ? message.tool_calls : undefined
  return Array.isArray(calls) ? calls : []
}

/** OpenAI refuses an empty list of calls. */
function withoutEmptyCalls(message: Message): Message {
  if (message.role !== 'assistant' || message.tool_calls === undefined || callsOf(message).length > 0) return message
  const { tool_calls: _, ...rest } = message
  return rest as AssistantMessage
}

function standInResult(id: string): ToolMessage {
  return { role: 'tool', tool_call_id: id, content: missingResult }
}

function standInCall(id: string): ToolCall {
  return { id, type: 'function', function: { name: 'unknown', arguments: '{}' } }
}
