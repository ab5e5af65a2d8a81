import type { EntryKind } from '../../../model/entries.ts'
import { HoldfastError } from '../../../model/errors.ts'
import type { Message } from '../../../model/messages.ts'
import type { Entry } from '../../transcripts/rows/entry.ts'
import { Branch } from './branch.ts'
import { Chunks } from './chunks.ts'
import { LinesDigest, type Row, rowsOf, type SourceLine } from './line.ts'

/** Counts tokens as the engine does. */
export interface Meter {
  message(message: Message): number
  text(text: string): number
}

/**
 * One incarnation of a conversation as it will stand in the store: an opening event, and for each chunk of lines an event that carries
 * them, followed by the entries that their rows become. Positions (`seq`) count from 1.
 */
export interface Layout {
  /** Numbers of its first and last line in its source; `lastLine` is before `firstLine` where there is none. */
  firstLine: number
  lastLine: number
  entries: number
  /** By entry, from position 1 on: what the meter counts; 0 for events. */
  tokens: number[]
  /** Ranges that the model is not shown. */
  hidden: { fromSeq: number; toSeq: number; count: number; tokens: number }[]
  summaries: { uptoSeq: number; text: string; tokens: number; replacedTokens: number; atMs: number }[]
  /** Of what the model is shown. */
  contextTokens: number
  firstAtMs: number | null
  lastAtMs: number | null
  /** Of its lines, each with a line feed: what is written must be what was laid out. */
  sha256: string
  /** The last line has its line feed. */
  ended: boolean
  /** It was begun by a reset; its reason. null: by nothing that is written down. */
  reset: string | null
  name: string | null
  counts: Counts
}

/** What became of rows. */
export interface Counts {
  rows: number
  user: number
  assistant: number
  tool: number
  toolCalls: number
  /** Entries that people see and models do not. */
  events: number
  summaries: number
  /** Messages that stand beside the conversation that is shown: other branches, mirrors, what a reset has left. */
  aside: number
  /** Replies that were stored twice. Both are kept, one is shown. */
  duplicates: number
  /** Rows that have no counterpart and are carried along: by type. */
  carried: Record<string, number>
  /** Lines in which nothing can be read; carried along to the byte. */
  unreadable: number
  /** Lines that were too long to be brought over at all. */
  leftOut: number
}

/** A transcript with more rows is none that a gateway could load. */
const rowsMax = 500_000

interface Item {
  seq: number
  row: number
  kind: EntryKind
  shown: boolean
  tokens: number
  /** Of a reply that was stored a second time: the first. */
  first: Item | null
}

interface Cut {
  row: number
  afterSeq: number
  kind: 'compaction' | 'reset'
  summary: string
  firstKept: string | null
  atMs: number
}

interface Reply {
  item: Item
  text: string
  totalTokens: number | null
}

/** Takes the lines of one source, from the first, and lays them out; a reset begins a new incarnation. */
export class Layouter {
  readonly #meter: Meter
  readonly #done: Layout[] = []
  #current: Draft
  #rows = 0
  #lastLine = 0

  constructor(meter: Meter) {
    this.#meter = meter
    this.#current = new Draft(1, null)
  }

  /** @throws HoldfastError HOME_UNREADABLE for more rows than are laid out */
  line(line: SourceLine): void {
    const rows = rowsOf(line)
    this.#rows += Math.max(1, rows.length)
    if (this.#rows > rowsMax)
      throw new HoldfastError('HOME_UNREADABLE', { because: `it has more than ${rowsMax} rows` })
    const reset = rows.find((row) => row.cut?.kind === 'reset' && row.cut.firstKept === null)
    if (reset !== undefined && this.#lastLine > 0) {
      this.#done.push(this.#current.end(this.#lastLine, this.#meter))
      this.#current = new Draft(line.number, reasonOf(reset))
    }
    this.#current.line(line, rows, this.#meter)
    this.#lastLine = line.number
  }

  end(): Layout[] {
    return [...this.#done, this.#current.end(this.#lastLine, this.#meter)]
  }
}

function reasonOf({ mapped }: Row): string {
  const reason = (mapped?.body as { reason?: unknown } | undefined)?.reason
  return typeof reason === 'string' ? reason : 'reset'
}

class Draft {
  readonly #firstLine: number
  readonly #reset: string | null
  readonly #chunks = new Chunks()
  readonly #branch = new Branch()
  readonly #items: Item[] = []
  readonly #cuts: Cut[] = []
  readonly #tokens: number[] = [0]
  readonly #counts: Counts = {
    ...{ rows: 0, user: 0, assistant: 0, tool: 0, toolCalls: 0, events: 0, summaries: 0, aside: 0, duplicates: 0 },
    ...{ carried: {}, unreadable: 0, leftOut: 0 },
  }
  #reply: Reply | null = null
  #firstAtMs: number | null = null
  #lastAtMs: number | null = null
  #name: string | null = null
  #ended = true
  readonly #digest = new LinesDigest()

  constructor(firstLine: number, reset: string | null) {
    this.#firstLine = firstLine
    this.#reset = reset
  }

  line(line: SourceLine, rows: Row[], meter: Meter): void {
    this.#digest.add(line)
    this.#ended = line.ended
    if (this.#chunks.begins(line)) this.#tokens.push(0)
    if (line.data === null) this.#counts.leftOut += 1
    else if (rows.length === 0 && line.data.length > 0) this.#counts.unreadable += 1
    for (const row of rows) this.#row(row, meter)
  }

  end(lastLine: number, meter: Meter): Layout {
    const active = this.#branch.active()
    const isShown = ({ row, shown }: Item) => shown && active[row] === 1
    const cuts = this.#cuts.filter(({ row }) => active[row] === 1)
    const keptFrom = this.#keptFrom(cuts.filter(({ kind }) => kind === 'reset').at(-1))
    const shown = new Set(this.#items.filter((item) => isShown(item) && item.seq >= keptFrom))
    const summaries = this.#summaries(cuts, keptFrom, shown, meter)
    const uptoSeq = summaries.at(-1)?.uptoSeq ?? 0
    const messages = this.#items.filter(({ kind }) => kind !== 'event')
    this.#counts.aside = messages.filter((item) => !shown.has(item)).length - this.#counts.duplicates
    this.#counts.summaries = summaries.length
    return {
      ...{ firstLine: this.#firstLine, lastLine, entries: this.#tokens.length, tokens: this.#tokens, summaries },
      hidden: hiddenRanges(this.#items, shown),
      contextTokens: (summaries.at(-1)?.tokens ?? 0) + sum([...shown].filter(({ seq }) => seq > uptoSeq)),
      ...{ firstAtMs: this.#firstAtMs, lastAtMs: this.#lastAtMs, reset: this.#reset, name: this.#name },
      ...{ sha256: this.#digest.hex(), ended: this.#ended },
      counts: this.#counts,
    }
  }

  #row({ header, entry, mapped, cut, name }: Row, meter: Meter): void {
    this.#counts.rows += 1
    this.#name = name ?? this.#name
    if (header !== null || entry === null) return
    this.#firstAtMs ??= entry.atMs
    this.#lastAtMs = entry.atMs ?? this.#lastAtMs
    const row = this.#branch.add(entry)
    if (cut !== null) this.#cuts.push({ ...cut, row, afterSeq: this.#tokens.length, atMs: this.#lastAtMs ?? 0 })
    if (mapped === null) {
      if (cut === null) this.#counts.carried[entry.type] = (this.#counts.carried[entry.type] ?? 0) + 1
      return
    }
    const { kind, body } = mapped
    const tokens = kind === 'event' ? 0 : meter.message(body as Message)
    const seq = this.#tokens.push(tokens)
    const item = { seq, row, kind, shown: mapped.shown, tokens, first: null }
    this.#items.push(item)
    this.#count(kind, body)
    this.#watchReplies(entry, item)
  }

  #count(kind: EntryKind, body: object): void {
    const calls = 'tool_calls' in body && Array.isArray(body.tool_calls) ? body.tool_calls.length : 0
    this.#counts.toolCalls += calls
    if (kind === 'event') this.#counts.events += 1
    else this.#counts[kind === 'system' ? 'user' : kind] += 1
  }

  /** A reply that was stored a second time by a mirror, with nothing said between them: kept, and not shown. */
  #watchReplies({ message }: Entry, item: Item): void {
    if (message === null) return
    const { role, text, totalTokens, api } = message
    const last = this.#reply
    const isSecond =
      last !== null && role === 'assistant' && api === 'cli' && text === last.text && totalTokens === last.totalTokens
    if (isSecond) {
      item.shown = false
      item.first = last.item
      this.#counts.duplicates += 1
      return
    }
    const isReply = role === 'assistant' && api !== 'cli' && text !== null && text.trim() !== '' && item.shown
    this.#reply = isReply ? { item, text, totalTokens } : null
  }

  /** The first position that a cut keeps; the one behind it where it names nothing that is there. */
  #keptFrom(cut: Cut | undefined): number {
    if (cut === undefined) return 0
    const row = cut.firstKept === null ? null : this.#branch.rowOf(cut.firstKept)
    const kept = row === null ? undefined : this.#items.find((item) => item.row >= row)
    if (kept === undefined || kept.seq > cut.afterSeq) return cut.afterSeq + 1
    return (kept.first ?? kept).seq // where the second copy is kept, the first is the one that is shown
  }

  /** Each goes on from the one before it, so each covers more than that; a later one that covers less stands for both. */
  #summaries(cuts: Cut[], keptFrom: number, shown: ReadonlySet<Item>, meter: Meter): Layout['summaries'] {
    const summaries: Layout['summaries'] = []
    const reset = cuts.findLastIndex(({ kind }) => kind === 'reset')
    for (const cut of cuts.slice(reset + 1)) {
      if (cut.summary.trim() === '') continue
      const uptoSeq = Math.max(this.#keptFrom(cut) - 1, keptFrom - 1, 1)
      while ((summaries.at(-1)?.uptoSeq ?? 0) >= uptoSeq) summaries.pop()
      const base = summaries.at(-1)
      const covered = [...shown].filter(({ seq }) => seq > (base?.uptoSeq ?? 0) && seq <= uptoSeq)
      const tokens = meter.text(cut.summary)
      const replacedTokens = (base?.tokens ?? 0) + sum(covered)
      summaries.push({ uptoSeq, text: cut.summary, tokens, replacedTokens, atMs: cut.atMs })
    }
    return summaries
  }
}

const sum = (items: readonly Item[]): number => items.reduce((total, { tokens }) => total + tokens, 0)

/** Events between two of them belong to a range as well: nobody is shown those. */
function hiddenRanges(items: readonly Item[], shown: ReadonlySet<Item>): Layout['hidden'] {
  const ranges: Layout['hidden'] = []
  let open: Layout['hidden'][number] | null = null
  for (const item of items) {
    if (item.kind === 'event') continue
    if (shown.has(item)) open = null
    else if (open === null) {
      open = { fromSeq: item.seq, toSeq: item.seq, count: 1, tokens: item.tokens }
      ranges.push(open)
    } else {
      open.toSeq = item.seq
      open.count += 1
      open.tokens += item.tokens
    }
  }
  return ranges
}
