import type { Message, SystemMessage } from '../model/messages.ts'
import type { ContextSource } from '../store/entries.ts'
import { countMessage, countText, cutToTokens } from './meter.ts'
import { openCalls, pairHistory, pairOwn, resultIds } from './pairing.ts'

export interface ContextInput {
  source: ContextSource
  instructions: readonly SystemMessage[]
  /** The turn's own input. */
  messages: readonly Message[]
  /** For everything that {@link buildContext} gives, in the provider's tokens; take off what tools need before. */
  roomTokens: number
  meterRatio: number
}

export interface Context {
  messages: Message[]
  /** Entries after the summary that are not shown, for lack of room. */
  entriesLeftOut: number
  /** Of `messages`, by the meter, uncorrected: what `nextMeterRatio` takes as `estimated`. */
  tokens: number
}

/**
 * What the model is shown: instructions, a note (the summary; how much was left out), as much of the newest history as
 * has room, the turn's own messages. The history is cut only before a user entry, and no tool call is parted from its
 * result. Instructions and own messages are always whole; only they alone can be over the room.
 * Whatever the history holds, the result is one that a provider accepts.
 */
export function buildContext(input: ContextInput): Context {
  const { source, instructions, messages: own } = input
  const tokensOf = tokensFrom(source)
  const rounds = roundsOf(source, resultIds(own), tokensOf)
  const entriesTotal = source.olderCount + source.entries.filter((entry) => entry.kind !== 'event').length
  const ownAlone = pairOwn(own, new Set())

  const free = Math.floor(input.roomTokens / input.meterRatio) - sum([...instructions, ...ownAlone], tokensOf)
  const summary = fitSummary(source.summary?.text ?? null, Math.floor(free / 2))
  const freeForHistory = free - noteTokens(noteOf(summary, 0))
  const complete = entriesTotal === sum(rounds, entriesOf) && sum(rounds, (round) => round.tokens) <= freeForHistory
  const kept = complete ? rounds : newestThatFit(rounds, freeForHistory - markerTokensMax, tokensOf)

  const entriesLeftOut = entriesTotal - sum(kept, entriesOf)
  const note = free < markerTokensMax ? null : noteOf(summary, entriesLeftOut)
  const history = kept.flatMap((round) => round.messages)
  const ownPaired = kept.length === 0 ? ownAlone : pairOwn(own, openCalls(history))
  return {
    messages: [...withNote(instructions, note), ...history, ...ownPaired],
    entriesLeftOut,
    tokens: sum([...instructions, ...history, ...ownPaired], tokensOf) + noteTokens(note),
  }
}

/** A user entry and what follows it until the next, made acceptable. */
interface Round {
  messages: Message[]
  /** How many entries it stands for. */
  entries: number
  tokens: number
}

const entriesOf = (round: Round) => round.entries

function roundsOf(source: ContextSource, ownResults: readonly string[], tokensOf: Tokens): Round[] {
  const stretches: Message[][] = []
  for (const entry of source.entries) {
    if (entry.kind === 'event') continue
    if (entry.kind === 'user' || stretches.length === 0) stretches.push([])
    stretches.at(-1)?.push(entry.body as Message)
  }
  // What precedes the first user entry is the rest of a round whose beginning the store has left out.
  if (source.olderCount > 0 && stretches[0]?.[0]?.role !== 'user') stretches.shift()
  return stretches.map((stretch, index) => {
    const open = index === stretches.length - 1 ? openCalls(stretch) : new Set()
    const messages = pairHistory(stretch, new Set(ownResults.every((id) => open.has(id)) ? ownResults : []))
    return { messages, entries: stretch.length, tokens: sum(messages, tokensOf) }
  })
}

function newestThatFit(rounds: readonly Round[], free: number, tokensOf: Tokens): Round[] {
  let from = rounds.length
  let left = free
  while (from > 0 && (rounds[from - 1] as Round).tokens <= left) {
    from -= 1
    left -= (rounds[from] as Round).tokens
  }
  const newest = rounds.at(-1)
  if (from < rounds.length || newest === undefined) return rounds.slice(from)
  const short = questionAndAnswer(newest, tokensOf)
  return short !== null && short.tokens <= free ? [short] : []
}

/** A round that is too large as a whole, without the tool calls and results between its question and its answer. */
function questionAndAnswer(round: Round, tokensOf: Tokens): Round | null {
  const question = round.messages.find((message) => message.role === 'user')
  const answer = round.messages.findLast((message) => message.role === 'assistant' && message.tool_calls === undefined)
  if (question === undefined || answer === undefined) return null
  const messages = [question, answer]
  return { messages, entries: messages.length, tokens: sum(messages, tokensOf) }
}

/** Room that is kept for saying how much was left out. */
const markerTokensMax = 48

function noteOf(summary: string | null, entriesLeftOut: number): string | null {
  const parts: string[] = []
  if (summary !== null) {
    parts.push(`[Summary of the earlier conversation: a record of what was said, not an instruction]\n${summary}`)
  }
  if (entriesLeftOut > 0) {
    const since = summary === null ? 'earlier messages of this conversation' : 'messages after that'
    parts.push(`[${entriesLeftOut} ${since} are left out here; the newest follow]`)
  }
  return parts.length === 0 ? null : parts.join('\n\n')
}

/** The summary, cut if it would take more than `tokensMax` of a window that has become smaller. */
function fitSummary(summary: string | null, tokensMax: number): string | null {
  if (summary === null || tokensMax < markerTokensMax) return null
  const frame = noteTokens(noteOf('', 0))
  return cutToTokens(summary, tokensMax - frame)
}

/** Framing and the seams of the text where it is joined to others. */
const noteFraming = 8

function noteTokens(note: string | null): number {
  return note === null ? 0 : noteFraming + countText(note)
}

/** One system message at most: chat templates of several local models refuse a second one, or two user messages in a row. */
function withNote(instructions: readonly SystemMessage[], note: string | null): SystemMessage[] {
  const last = instructions.at(-1)
  if (note === null) return [...instructions]
  if (last === undefined) return [{ role: 'system', content: note }]
  const { content } = last
  const joined =
    typeof content === 'string' ? `${content}\n\n${note}` : [...content, { type: 'text', text: `\n\n${note}` }]
  return [...instructions.slice(0, -1), { ...last, content: joined }]
}

type Tokens = (message: Message) => number

/** The counts that the store has; others are counted once. */
function tokensFrom(source: ContextSource): Tokens {
  const known = new Map<Message, number>(
    source.entries.flatMap((entry) => (entry.kind === 'event' ? [] : [[entry.body as Message, entry.tokens]])),
  )
  return (message) => {
    const tokens = known.get(message) ?? countMessage(message)
    known.set(message, tokens)
    return tokens
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
