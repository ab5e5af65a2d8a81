import type { EntryKind } from '../model/entries.ts'
import { type ContentPart, type Message, textOf } from '../model/messages.ts'
import { countMessage, cutToTokens } from './meter.ts'

export interface SummaryEntry {
  kind: EntryKind
  message: Message
}

/** Less than this of a message says nothing. */
const messageTokensMin = 32

/** What a summariser needs of a message: images and other data become a word, so that their bytes are not carried along. */
export function withoutData(message: Message): Message {
  const { content } = message
  if (!Array.isArray(content)) return message
  const parts = content.map((part): ContentPart => {
    return typeof part.text === 'string' ? part : { type: 'text', text: `[${part.type.replace('_url', '')}]` }
  })
  return { ...message, content: parts } as Message
}

/**
 * Makes entries fit a summariser that can read `tokensMax`: the longest texts are cut to one common length; when there
 * are too many for that, those in the middle are left out. Entries that fit are given back as they are.
 */
export function fitForSummary(entries: readonly SummaryEntry[], tokensMax: number): readonly SummaryEntry[] {
  const counts = entries.map((entry) => countMessage(entry.message))
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total <= tokensMax) return entries
  const countMax = Math.floor(tokensMax / (2 * messageTokensMin))
  if (entries.length > countMax) {
    const half = Math.max(1, Math.floor(countMax / 2))
    return cutLongest([...entries.slice(0, half), ...entries.slice(-half)], tokensMax)
  }
  return cutLongest(entries, tokensMax)
}

function cutLongest(entries: readonly SummaryEntry[], tokensMax: number): SummaryEntry[] {
  const limit = commonLimit(
    entries.map((entry) => countMessage(entry.message)),
    tokensMax,
  )
  return entries.map((entry) => {
    if (countMessage(entry.message) <= limit) return entry
    return { kind: entry.kind, message: cutMessage(entry.message, limit - messageTokensMin / 2) }
  })
}

/** The largest limit at which the counts, each cut to it, have at most `totalMax` together. */
function commonLimit(counts: readonly number[], totalMax: number): number {
  let left = totalMax
  const ascending = counts.toSorted((a, b) => a - b)
  for (const [index, count] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index))
    if (count > share) return Math.max(messageTokensMin, share)
    left -= count
  }
  return totalMax
}

/** Calls and other fields of a cut message go into its text, which is cut at the end. */
function cutMessage(message: Message, tokensMax: number): Message {
  const calls = Array.isArray(message.tool_calls) ? JSON.stringify(message.tool_calls) : ''
  const content = `${cutToTokens(`${textOf(message)}${calls}`, tokensMax)}…`
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.tool_call_id, content }
  return { role: message.role, content }
}
