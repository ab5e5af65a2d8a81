import type { EntryKind } from '../model/entries.ts'
import { type Message, textOf } from '../model/messages.ts'
import { cutText } from '../model/text.ts'
import { countText, cutToTokens } from './meter.ts'

/** UTF-16 units of a user's message that are quoted. */
const lineLength = 160
/** Of the budget, for the summary that this one continues. */
const previousShare = 0.4

/**
 * A summary that needs no model: counts, and the user's messages in a line each; the first and the newest when there is
 * no room for all. What was decided cannot be known this way, so it says what it is. At most `tokensMax` tokens; the
 * same input gives the same text.
 */
export function mechanicalSummary(
  previous: string | null,
  entries: readonly { kind: EntryKind; message: Message }[],
  tokensMax: number,
): string {
  const head = `${countsOf(entries)} No model was asked for this note; it quotes the beginnings of the user's messages:`
  const before = previous === null ? '' : `${cutToTokens(previous, Math.floor(tokensMax * previousShare))}\n\nThen: `
  const lines = entries.filter(({ kind }) => kind === 'user').map(({ message }) => quote(message))
  const frame = `${before}${head}`
  const quoted = linesThatFit(lines, tokensMax - countText(frame))
  return cutToTokens([frame, ...quoted].join('\n'), tokensMax)
}

function countsOf(entries: readonly { kind: EntryKind }[]): string {
  const count = (kind: EntryKind) => entries.filter((entry) => entry.kind === kind).length
  const parts = [`${count('user')} from the user`, `${count('assistant')} from the assistant`]
  if (count('tool') > 0) parts.push(`${count('tool')} tool results`)
  return `${entries.length} messages (${parts.join(', ')}).`
}

function quote(message: Message): string {
  const line = textOf(message).replace(/\s+/g, ' ').trim()
  if (line === '') return '- (no text)'
  return line.length <= lineLength ? `- ${line}` : `- ${cutText(line, lineLength)}…`
}

/** The first line (what the conversation is about) and as many of the newest as have room. */
function linesThatFit(lines: readonly string[], tokensMax: number): string[] {
  const [first, ...rest] = lines
  if (first === undefined) return []
  const newest: string[] = []
  let left = tokensMax - costOf(first) - gapTokensMax
  for (const line of rest.toReversed()) {
    left -= costOf(line)
    if (left < 0) break
    newest.unshift(line)
  }
  const missing = rest.length - newest.length
  return missing === 0 ? lines.slice() : [first, `- (${missing} more)`, ...newest]
}

const gapTokensMax = 12
/** With the line break. */
const costOf = (line: string) => countText(line) + 1
