import { countMessage } from '../../compaction/meter.ts'
import type { EventBody, NewEntry } from '../../model/entries.ts'
import { type ErrorRecord, HoldfastError } from '../../model/errors.ts'
import type { Message } from '../../model/messages.ts'
import { cleanJson } from '../../model/text.ts'
import type { Usage } from '../../model/turns.ts'
import type { RunResult } from '../runner.ts'

/** What a runner gave, checked and clean. */
export interface Reply {
  messages: Message[]
  finishReason: string | null
  usage: Usage | null
  /** Strings in which lone surrogates were replaced. */
  replaced: number
}

/** A reply is read whole, by people and by the next context; longer ones are a runner gone wrong. UTF-16 units of JSON. */
const replyLengthMax = 16 * 1024 ** 2

const replyRoles = ['assistant', 'tool']

/** An empty string is an answer without a message. @throws HoldfastError RUNNER_FAILED when it has no readable shape */
export function readReply(result: RunResult | string): Reply {
  if (typeof result === 'string') {
    return readReply({ messages: result === '' ? [] : [{ role: 'assistant', content: result }] })
  }
  if (typeof result !== 'object' || result === null || !Array.isArray(result.messages)) {
    throw unreadable('it returned neither a string nor { messages }')
  }
  const { messages, replaced } = readMessages(result.messages)
  return { messages, replaced, finishReason: result.finishReason ?? null, usage: result.usage ?? null }
}

/** Of a reply, or of what is appended on the way to one. @throws HoldfastError RUNNER_FAILED */
export function readMessages(found: readonly Message[]): { messages: Message[]; replaced: number } {
  if (!found.every((message) => replyRoles.includes(message?.role))) {
    throw unreadable('it gave a message whose role is neither assistant nor tool')
  }
  const { value, replaced, tooDeep } = cleanJson([...found])
  if (tooDeep) throw unreadable('it gave a message that is nested too deeply')
  const length = JSON.stringify(value).length
  if (length > replyLengthMax) throw unreadable(`it gave ${length} characters, over the limit of ${replyLengthMax}`)
  return { messages: value, replaced }
}

/** Entries with ids that the same attempt gives again, so that a repeated write is found. `from` counts its entries. */
export function entriesOf(turnId: string, attempt: number, from: number, messages: readonly Message[]): NewEntry[] {
  return messages.map((message, index) => ({
    id: entryId(turnId, attempt, from + index),
    kind: message.role === 'developer' ? 'system' : message.role,
    body: message,
    tokens: countMessage(message),
  }))
}

/** What people see in the transcript of a turn that did not end as done. */
export function failureEntry(turnId: string, attempt: number, from: number, outcome: ErrorRecord): NewEntry {
  const body: EventBody = { code: outcome.code, text: outcome.message }
  return { id: entryId(turnId, attempt, from), kind: 'event', body, tokens: 0 }
}

function entryId(turnId: string, attempt: number, place: number): string {
  return `${turnId}.${attempt}.${place}`
}

function unreadable(because: string): HoldfastError {
  return new HoldfastError('RUNNER_FAILED', { because: `the runner's answer is unreadable: ${because}` })
}
