/**
 * A verb as the statements that it needs, one after the other. It is written once: the adapter of SQLite runs it in a
 * plain loop inside its transaction, that of PostgreSQL awaits each answer. What comes between two statements is pure.
 */
export type Steps<T> = Generator<Statement, T, unknown>

/** What can be bound to a statement, and what a column holds. */
export type Value = string | number | Uint8Array | null

/**
 * One statement in the words that both databases know. Places for values are `?` or `?1`, and names of columns that are no
 * plain lower case are quoted.
 */
export interface Statement {
  /** `all`: its rows. `run`: the number of rows that it changed. `insert`: the `id` that it returns. `command`: nothing. */
  kind: 'all' | 'run' | 'insert' | 'command'
  sql: string
  values: readonly Value[]
}

export function* all<Row>(sql: string, ...values: Value[]): Steps<Row[]> {
  return (yield { kind: 'all', sql, values }) as Row[]
}

export function* first<Row>(sql: string, ...values: Value[]): Steps<Row | undefined> {
  const rows = (yield { kind: 'all', sql, values }) as Row[]
  return rows[0]
}

/** Gives the number of rows that were changed. */
export function* run(sql: string, ...values: Value[]): Steps<number> {
  return (yield { kind: 'run', sql, values }) as number
}

/** Gives the number of the new row, which the statement returns as `id`. */
export function* insert(sql: string, ...values: Value[]): Steps<number> {
  return (yield { kind: 'insert', sql, values }) as number
}

/** What begins or ends a part of a transaction. */
export function* command(sql: string): Steps<void> {
  yield { kind: 'command', sql, values: [] }
}

/** Rows of a statement that ends in `LIMIT ?` and reads on after the key of its last row; a few at a time, as they are asked for. */
export class Rows<Row> {
  readonly #read: (after: number, limit: number) => Steps<Row[]>
  readonly #keyOf: (row: Row) => number
  #after: number
  #limit: number
  #rows: Row[] = []
  #at = 0
  #ended = false

  constructor(
    after: number,
    atOnce: number,
    keyOf: (row: Row) => number,
    read: (after: number, limit: number) => Steps<Row[]>,
  ) {
    this.#after = after
    this.#limit = atOnce
    this.#keyOf = keyOf
    this.#read = read
  }

  /** Undefined at the end. */
  *next(): Steps<Row | undefined> {
    if (this.#at === this.#rows.length && !this.#ended) {
      this.#rows = yield* this.#read(this.#after, this.#limit)
      this.#at = 0
      this.#ended = this.#rows.length < this.#limit
      const last = this.#rows.at(-1)
      if (last !== undefined) this.#after = this.#keyOf(last)
    }
    const row = this.#rows[this.#at]
    this.#at += 1
    return row
  }
}
