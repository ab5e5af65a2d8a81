import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { DamageKind } from './facts.ts'
import type { Entry, MessageFacts, Reference } from './rows/entry.ts'

/** Of one transcript, so many rows are remembered; behind them nothing is said about parents. About 150 MB. */
const rowsMax = 1_000_000

/** Where a row's line is. */
export interface Place {
  line: number
  offset: number
  bytes: number
}

/** What is to change of an entry so that the chain holds; all else of it stays. */
export type RowEdit = { drop: true } | Change

interface Change {
  drop: false
  id?: string
  parentId?: string | null
  references?: Reference[]
}

/** Rows have numbers, in their order in the file, beginning with 0. This one stands above the first. */
const root = -1

/** A row where it stands. */
export interface Found {
  /** Its bytes. */
  data: Uint8Array
  at: Place
  /** It could not be read as it stood, so that what it lacks may have been lost. */
  restored: boolean
}

interface Linking {
  at: Place
  restored: boolean
  before: number
  first: number | undefined
  parent: number | null
  edit: Change
}

/** An entry whose parent has not been seen yet. */
interface Loose {
  row: number
  at: Place
  parentId: string
  /** The entry before it, to which it is linked when its parent never comes. */
  before: number
}

/**
 * Who follows whom in a transcript. A gateway reads the conversation from its last entry upwards, by `parentId`: whatever a broken link cuts
 * off is lost to the model, although it is there. Several children of one parent are forks, a parent of null begins anew, and an
 * entry without a parent's name follows the one before it: nothing is wrong with those.
 */
export class Chain {
  readonly #numbers = new Map<string, number>()
  /** By row: its id as it will be, its parent, and what its bytes hash to. */
  readonly #ids: string[] = []
  readonly #parents: number[] = []
  readonly #digests: number[] = []
  readonly #loose = new Map<number, Loose>()
  /** What names entries that have not been seen yet. */
  readonly #early: { row: number; type: string; named: Reference }[] = []
  readonly #edits = new Map<number, RowEdit>()
  /** The last answer that no mirror wrote, and what else was said since then. */
  #lastReply: { row: number; message: MessageFacts; since: Set<number> } | null = null
  /** Second replies that are taken out, by id: what they hash to. */
  readonly #replies = new Map<string, number>()
  /** What an id stands for where it is named as a parent, and where it is named as a message. */
  readonly #parentNames = new Map<string, string | null>()
  readonly #names = new Map<string, string>()
  #cursor = root
  #unknown = false
  #rows = 0

  /** A row whose id cannot be known: from here on an unknown parent may be that one. */
  addUnknown(): void {
    this.#unknown = true
    this.#lastReply = null
    this.#take('', root, 0)
  }

  /** A header's id may be named as a parent. */
  addHeader(id: string): void {
    if (!this.#numbers.has(id)) this.#numbers.set(id, root)
    this.#take('', root, 0)
  }

  /** A row of the first version, which has neither id nor parent, only its place. */
  addPlain(): void {
    this.#take('', root, 0)
  }

  /** The next entry. Answers with what is wrong with it; broken parents are told by `end`. */
  add(entry: Entry, { data, at, restored }: Found): DamageKind | null {
    const digest = digestOf(data)
    const before = this.#cursor
    const first = entry.id === null ? undefined : this.#numbers.get(entry.id)
    const parent = this.#parentOf(entry)
    const row = this.#take(entry.id ?? '', parent ?? before, digest)
    if (row >= rowsMax) return null

    const stored = this.#replies.get(entry.id ?? '') ?? (first === undefined ? undefined : this.#digests[first])
    if (stored === digest) {
      this.#edits.set(row, { drop: true })
      return 'duplicate-line'
    }
    const follows = parent === null || this.#isAgain(first, parent) ? before : parent
    if (entry.id !== null && this.#isSecondReply(entry, follows)) {
      this.#edits.set(row, { drop: true })
      if (first === undefined) this.#nameReply(entry.id, follows, digest)
      return 'duplicate-reply'
    }
    const damage = entry.id === null ? 'id-missing' : first === undefined ? null : 'duplicate-id'
    const id = damage === null ? (entry.id as string) : this.#newId(row, digest)
    this.#ids[row] = id
    this.#numbers.set(id, row)
    if (damage === 'duplicate-id') {
      this.#parentNames.set(entry.id as string, id)
      this.#names.set(entry.id as string, id)
    }
    this.#link(entry, row, {
      at,
      before,
      first,
      parent,
      restored,
      edit: damage === null ? { drop: false } : { drop: false, id },
    })
    this.#moveOn(entry, row)
    return damage
  }

  /** All is in. Answers with where the parent was broken, and with what is to change, by row. */
  end(): { broken: Place[]; edits: ReadonlyMap<number, RowEdit> } {
    const broken: Place[] = []
    const isKnown = (loose: Loose) => this.#numbers.has(loose.parentId)
    const forward = new Map([...this.#loose].filter(([, loose]) => isKnown(loose)))
    const relink = (loose: Loose) => {
      broken.push(loose.at)
      this.#parents[loose.row] = loose.before
      this.#edit(loose.row, (edit) => ({ ...edit, parentId: this.#idOf(loose.before) }))
    }
    for (const loose of this.#loose.values()) if (!isKnown(loose)) relink(loose)
    for (const loose of forward.values()) {
      this.#parents[loose.row] = this.#numbers.get(loose.parentId) ?? root
      const name = this.#parentNames.get(loose.parentId)
      if (name !== undefined) this.#edit(loose.row, (edit) => ({ ...edit, parentId: name }))
    }
    for (const loose of this.#circles(forward)) relink(loose)
    for (const { row, type, named } of this.#early) {
      const reference = this.#renamed(type, named)
      if (reference !== null)
        this.#edit(row, (edit) => ({ ...edit, references: [...(edit.references ?? []), reference] }))
    }
    return { broken, edits: this.#edits }
  }

  /** null where it is not known yet, or never. */
  #parentOf(entry: Entry): number | null {
    if (entry.parentId === undefined) return this.#cursor
    if (entry.parentId === null) return root
    const name = this.#parentNames.get(entry.parentId)
    if (name === null) return root
    const parent = this.#numbers.get(name ?? entry.parentId)
    if (parent !== undefined) return parent
    return this.#unknown || this.#rows >= rowsMax ? root : null
  }

  #take(id: string, parent: number, digest: number): number {
    const row = this.#rows
    this.#rows += 1
    if (row >= rowsMax) return row
    this.#ids.push(id)
    this.#parents.push(parent)
    this.#digests.push(digest)
    return row
  }

  #link(entry: Entry, row: number, { at, before, first, parent, restored, edit }: Linking): void {
    const named = entry.parentId
    if (parent === null) this.#loose.set(row, { row, at, parentId: named as string, before })
    else if (this.#isAgain(first, parent)) {
      edit.parentId = this.#idOf(before)
      this.#parents[row] = before
    } else if (typeof named === 'string' && this.#parentNames.has(named)) {
      edit.parentId = this.#parentNames.get(named) ?? null
    } else if ((edit.id !== undefined || restored) && named === undefined) edit.parentId = this.#idOf(before)
    for (const named of entry.references) {
      const reference = this.#renamed(entry.type, named)
      if (reference !== null) edit.references = [...(edit.references ?? []), reference]
      else if (!this.#numbers.has(named.id)) this.#early.push({ row, type: entry.type, named })
    }
    if (Object.keys(edit).length > 1) this.#edits.set(row, edit)
  }

  /** A second version of one entry: beside the first it would cut off all that came between them, so it goes behind that. */
  #isAgain(first: number | undefined, parent: number): boolean {
    return first !== undefined && first !== root && this.#parents[first] === parent
  }

  #renamed(type: string, { member, id }: Reference): Reference | null {
    const asMessage = member === 'firstKeptEntryId' || type === 'label'
    const name = asMessage ? this.#names.get(id) : this.#parentNames.get(id)
    return typeof name === 'string' ? { member, id: name } : null
  }

  #moveOn(entry: Entry, row: number): void {
    const { message } = entry
    if (message !== null) {
      const isReply = message.role === 'assistant' && message.api !== 'cli' && (message.text ?? '').trim() !== ''
      if (isReply) this.#lastReply = { row, message, since: new Set() }
      else this.#lastReply?.since.add(row)
    }
    if (entry.aside) return
    if (entry.appendTo === undefined) this.#cursor = row
    else this.#cursor = entry.appendTo === null ? root : (this.#numbers.get(entry.appendTo) ?? this.#cursor)
  }

  /** The last reply again, with nothing said between them. */
  #isSecondReply({ message }: Entry, parent: number): boolean {
    const last = this.#lastReply
    if (last === null || message === null || message.role !== 'assistant' || message.api !== 'cli') return false
    if (message.text !== last.message.text || message.totalTokens !== last.message.totalTokens) return false
    let above = parent
    while (above > last.row && !last.since.has(above)) above = this.#parents[above] ?? root
    return above === last.row
  }

  /** Who followed a reply that is dropped follows what it followed; who named it as a message means the first one. */
  #nameReply(id: string, parent: number, digest: number): void {
    this.#replies.set(id, digest)
    this.#numbers.set(id, parent)
    this.#parentNames.set(id, this.#idOf(parent))
    this.#names.set(id, this.#idOf(this.#lastReply?.row ?? parent) ?? id)
  }

  /** Nothing changes of what is taken out. */
  #edit(row: number, change: (edit: Change) => Change): void {
    const edit = this.#edits.get(row) ?? { drop: false }
    if (!edit.drop) this.#edits.set(row, change(edit))
  }

  #idOf(row: number): string | null {
    return row === root ? null : (this.#ids[row] ?? null)
  }

  /** The same each time for the same transcript, so that a plan that is shown is the one that is carried out. */
  #newId(row: number, digest: number): string {
    for (let attempt = 0; ; attempt += 1) {
      const id = createHash('sha256').update(`${row} ${digest} ${attempt}`).digest('hex').slice(0, 8)
      if (!this.#numbers.has(id)) return id
    }
  }

  /** Of entries that name a later one as their parent, one for each circle; without them there is none. */
  #circles(forward: ReadonlyMap<number, Loose>): Loose[] {
    const done = new Set<number>()
    const cut: Loose[] = []
    for (const loose of forward.values()) {
      const path: number[] = []
      const onPath = new Set<number>()
      let at = loose.row
      while (at !== root && !done.has(at) && !onPath.has(at)) {
        path.push(at)
        onPath.add(at)
        at = this.#parents[at] ?? root
      }
      if (onPath.has(at)) {
        const circle = path.slice(path.indexOf(at))
        const edge = circle.map((row) => forward.get(row)).find((found) => found !== undefined)
        if (edge !== undefined) cut.push(edge)
      }
      for (const row of path) done.add(row)
    }
    return cut
  }
}

/** For telling rows with the same id apart: its CRC-32 and its length. What hangs on it is proven by the ledger. */
function digestOf(data: Uint8Array): number {
  return crc32(data) * lengthMax + Math.min(data.length, lengthMax - 1)
}

const lengthMax = 2 ** 20
