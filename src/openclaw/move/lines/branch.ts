import type { Entry } from '../../transcripts/rows/entry.ts'

/** Rows that a gateway knows; all others are links that it carries along without showing them. */
const known: ReadonlySet<string> = new Set([
  ...['message', 'thinking_level_change', 'model_change', 'compaction', 'reset', 'branch_summary', 'custom'],
  ...['custom_message', 'label', 'session_info'],
])

/** Above the first row. */
const root = -1

/**
 * Which rows of a transcript are the conversation: it is a tree, in which each row names the one that it follows, and what is shown is the
 * way from its newest leaf to the root. Read as the newest gateway does (2026.9), which also reads older ones: a row whose parent is
 * missing follows the leaf; `leaf` rows move the leaf and are none; rows of unknown types are links and no leaves. Rows have
 * numbers, in their order, from 0.
 */
export class Branch {
  readonly #numbers = new Map<string, number>()
  readonly #parents: number[] = []
  #leaf = root
  /** What the next row is expected to name. */
  #cursor = root

  /** The number of the row. */
  add(entry: Entry): number {
    const row = this.#parents.length
    if (entry.type === 'leaf') this.#move(entry, row)
    else this.#follow(entry, row)
    return row
  }

  get leaf(): number {
    return this.#leaf
  }

  rowOf(id: string): number | null {
    return this.#numbers.get(id) ?? null
  }

  /** By row: 1 for what is shown. */
  active(): Uint8Array {
    const shown = new Uint8Array(this.#parents.length)
    for (let row = this.#leaf; row !== root && shown[row] === 0; row = this.#parents[row] ?? root) shown[row] = 1
    return shown
  }

  #follow(entry: Entry, row: number): void {
    const isLeaf = known.has(entry.type) && !entry.aside
    this.#parents.push(isLeaf ? this.#parentOfLeaf(entry) : this.#named(entry.parentId ?? null))
    if (entry.id !== null) this.#numbers.set(entry.id, row)
    this.#cursor = row
    if (isLeaf) this.#leaf = row
  }

  #parentOfLeaf({ parentId }: Entry): number {
    if (parentId === undefined) return this.#leaf
    if (parentId === null) return root
    const parent = this.#numbers.get(parentId)
    if (parent === undefined || (parent === this.#cursor && this.#leaf !== this.#cursor)) return this.#leaf
    return parent
  }

  /** What was linked to such a row goes on from where it points to; one that points nowhere moves nothing. */
  #move(entry: Entry, row: number): void {
    const target = entry.references.find(({ member }) => member === 'targetId')
    const leaf = target === undefined ? root : this.#numbers.get(target.id)
    const cursor = entry.appendTo == null ? leaf : this.#numbers.get(entry.appendTo)
    if (leaf === undefined || cursor === undefined) {
      this.#parents.push(this.#named(entry.parentId ?? null))
    } else {
      this.#parents.push(leaf)
      this.#leaf = leaf
      this.#cursor = cursor
    }
    if (entry.id !== null) this.#numbers.set(entry.id, row)
  }

  #named(id: string | null): number {
    return id === null ? root : (this.#numbers.get(id) ?? root)
  }
}
