import { type ContextSize, type EntryFacts, enoughRead } from '../../compaction/plan.ts'
import { type SummaryEntry, withoutData } from '../../compaction/shorten.ts'
import type { Entry } from '../../model/entries.ts'
import type { Message } from '../../model/messages.ts'
import type { Session, Summary } from '../../model/sessions.ts'
import { cutText } from '../../model/text.ts'
import type { Store } from '../../store/port.ts'

/** What the model is shown after the newest summary, oldest first: as much as a plan needs. */
export interface Prefix {
  base: Summary | null
  facts: EntryFacts[]
  entries: Entry[]
  /** Read up to the head. */
  complete: boolean
}

const pageLimit = 200
/** A round without an end is given up here; each text that is held after the plan is full is short. */
const entriesMax = 20_000
const excessTextLength = 2_048

/** Reads in pages, with nothing held between them. @throws HoldfastError SESSION_NOT_FOUND */
export async function readPrefix(
  store: Store,
  session: Session,
  size: ContextSize,
  signal: AbortSignal,
): Promise<Prefix> {
  const { key, transcript } = session
  const summaries = await store.listSummaries(key)
  const base = summaries.find((summary) => summary.undoneAtMs === null && summary.transcript === transcript) ?? null
  const entries: Entry[] = []
  let after = base?.uptoSeq ?? 0
  let tokens = 0
  while (entries.length < entriesMax && !enoughRead(size, factsOf(entries))) {
    signal.throwIfAborted()
    const page = await store.readEntries({ key, transcript, order: 'oldest', after, limit: pageLimit, shownOnly: true })
    for (const entry of page.entries) {
      tokens += entry.tokens
      entries.push(slim(entry, tokens > size.roomTokens))
    }
    if (page.next === null) return { base, entries, facts: factsOf(entries), complete: true }
    after = page.next
  }
  return { base, entries, facts: factsOf(entries), complete: false }
}

/** What the model was shown of the entries up to `uptoSeq`. */
export function shownUpto(entries: readonly Entry[], uptoSeq: number): SummaryEntry[] {
  return entries
    .filter((entry) => entry.seq <= uptoSeq)
    .map((entry) => ({ kind: entry.kind, message: entry.body as Message }))
}

function factsOf(entries: readonly Entry[]): EntryFacts[] {
  return entries.map(({ seq, kind, tokens, body }) => {
    const calls = kind === 'assistant' ? (body as Message).tool_calls : undefined
    return { seq, kind, tokens, callsTools: Array.isArray(calls) && calls.length > 0 }
  })
}

/** Without data, so that a page of images is let go with its page; short when it will be cut anyway. */
function slim(entry: Entry, excess: boolean): Entry {
  const body = withoutData(entry.body as Message)
  if (!excess || typeof body.content !== 'string') return { ...entry, body }
  return { ...entry, body: { ...body, content: cutText(body.content, excessTextLength) } }
}
