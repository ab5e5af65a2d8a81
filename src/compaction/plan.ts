import type { EntryKind } from '../model/entries.ts'

/** How large the context is and may be. Tokens by the meter, uncorrected, except where the name says otherwise. */
export interface ContextSize {
  /** Newest summary and everything after it. */
  contextTokens: number
  meterRatio: number
  /** What instructions, history and new messages may fill, in the provider's tokens. */
  roomTokens: number
  softShare: number
  keepShare: number
}

export interface CompactionFacts extends ContextSize {
  /** The newest summary, which the next one continues and replaces. */
  base: { uptoSeq: number; tokens: number } | null
  /** Entries after the base, oldest first; at least until {@link enoughRead}. */
  entries: readonly EntryFacts[]
  /** `entries` go up to the head. */
  complete: boolean
  /** Asked for by a person: the soft limit does not matter, and less is kept of a short conversation. */
  forced: boolean
}

export interface EntryFacts {
  seq: number
  kind: EntryKind
  tokens: number
  /** An assistant entry that calls tools: what follows must stay with it. */
  callsTools: boolean
}

export type CompactionPlan =
  | { kind: 'none'; because: 'below the soft limit' | 'too little to replace' }
  | {
      kind: 'summarise'
      /** The summary covers everything up to here; the next entry is a user entry, or there is none yet. */
      uptoSeq: number
      /** What the summary stands for: its base and the entries after that. */
      replacedTokens: number
      /** The summary must have fewer. */
      tokensMax: number
      /** What the entries may have together when the summariser reads them; more only in a first round that is larger. */
      inputTokensMax: number
    }

/** Fewer shown entries are not worth a call, and a summary of them would be no shorter. */
export const entriesMin = 4
/** Of the room: a summary is a page, not a second transcript. */
const summaryShare = 0.15
/** Of the room: what the summariser reads. The rest is its prompt, its answer and the meter's error with its model. */
const inputShare = 0.7
/** Of what it replaces. More would hardly free anything. */
const shrinkShare = 0.8
/** Of the context, when a person asks for a summary of a conversation that is within all limits. */
const forcedKeepShare = 0.25

export function isOverSoftLimit(size: ContextSize): boolean {
  return size.contextTokens > roomOf(size) * size.softShare
}

/** Whether a plan needs no further entries: one part is full that the summariser can read. */
export function enoughRead(size: ContextSize, entries: readonly EntryFacts[]): boolean {
  return sum(entries) > inputTokensMax(size) && cuts(entries, false).length > 0
}

/**
 * Where the next summary ends. What stays word for word begins with a user entry and has at most `keepShare` of the room
 * (a last round that alone is larger is summarised too). A prefix that the summariser cannot read at once is cut into
 * parts; each plan goes beyond the base, so that repeating it comes to an end.
 */
export function planCompaction(facts: CompactionFacts): CompactionPlan {
  if (!facts.forced && !isOverSoftLimit(facts)) return { kind: 'none', because: 'below the soft limit' }
  const { base, entries } = facts
  const keptMax = Math.floor(
    Math.min(roomOf(facts) * facts.keepShare, facts.forced ? facts.contextTokens * forcedKeepShare : Infinity),
  )
  const afterBase = facts.contextTokens - (base?.tokens ?? 0)
  const readable = inputTokensMax(facts)
  const possible = cuts(entries, facts.complete)
  const wanted = possible.findIndex((cut) => afterBase - cut.tokens <= keptMax)
  const within = possible.slice(0, wanted === -1 ? undefined : wanted + 1)
  const chosen = within.findLast((cut) => cut.tokens <= readable) ?? within[0]
  if (chosen === undefined) return { kind: 'none', because: 'too little to replace' }
  const replacedTokens = chosen.tokens + (base?.tokens ?? 0)
  return {
    kind: 'summarise',
    uptoSeq: chosen.uptoSeq,
    replacedTokens,
    tokensMax: Math.floor(Math.min(replacedTokens * shrinkShare, roomOf(facts) * summaryShare)),
    inputTokensMax: readable,
  }
}

interface Cut {
  uptoSeq: number
  /** Of the entries up to it, and how many of them the model is shown. */
  tokens: number
  shown: number
}

/**
 * Every place with enough to replace before it and a user entry after it; and the head, when the conversation has come
 * to rest there.
 */
function cuts(entries: readonly EntryFacts[], complete: boolean): Cut[] {
  const found: Cut[] = []
  let tokens = 0
  let shown = 0
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1]
    if (entry.kind === 'user' && before !== undefined) found.push({ uptoSeq: before.seq, tokens, shown })
    if (entry.kind === 'event') continue
    tokens += entry.tokens
    shown += 1
  }
  const lastShown = entries.findLast((entry) => entry.kind !== 'event')
  const last = entries.at(-1)
  const atRest = lastShown?.kind === 'assistant' && !lastShown.callsTools
  if (complete && atRest && last !== undefined) found.push({ uptoSeq: last.seq, tokens, shown })
  return found.filter((cut) => cut.shown >= entriesMin)
}

function inputTokensMax(size: ContextSize): number {
  return Math.floor(roomOf(size) * inputShare)
}

function roomOf(size: ContextSize): number {
  return size.roomTokens / size.meterRatio
}

function sum(entries: readonly EntryFacts[]): number {
  return entries.reduce((total, entry) => total + (entry.kind === 'event' ? 0 : entry.tokens), 0)
}

export type AfterFailure = { kind: 'wait'; ms: number } | { kind: 'mechanical' }

/** What follows the n-th failure in a row: a pause that doubles each time, and in the end a summary without a model. */
export function planAfterFailure(
  failuresInARow: number,
  limits: { failuresMax: number; backoffMs: { first: number; max: number } },
): AfterFailure {
  if (failuresInARow >= limits.failuresMax) return { kind: 'mechanical' }
  const doublings = Math.min(failuresInARow - 1, 30)
  return { kind: 'wait', ms: Math.min(limits.backoffMs.max, limits.backoffMs.first * 2 ** doublings) }
}
