/**
 * A verb as the statements that it needs, one after the other. It is written once: the adapter of SQLite runs it in a
 * plain loop inside its transaction, that of PostgreSQL awaits each answer. What comes between two statements is pure.
 */
export type Steps<T> = Generator<Statement | readonly Statement[], T, unknown>

/** What can be bound to a statement, and what a column holds. */
export type Value = string | number | Uint8Array | null

/**
 * One statement in the words that both databases know. Places for values are `?` or `?1`, and names of columns that are no
 * plain lower case are quoted.
 */
export interface Statement {
  /**
   * What is wanted of it. `all`: its rows. `run`: the number of rows that it changed. `insert`: the `id` that it returns. `write`: nothing,
   * so where the database is far away nobody waits for it, and what it refuses is thrown by a later step or by the commit. `command`:
   * nothing, as it begins or ends a part of the transaction.
   */
  kind: 'all' | 'run' | 'insert' | 'write' | 'command'
  sql: string
  values: readonly Value[]
}

export function isSeveral(asked: Statement | readonly Statement[]): asked is readonly Statement[] {
  return Array.isArray(asked)
}

export function* all<Row>(sql: string, ...values: Value[]): Steps<Row[]> {
  return (yield { kind: 'all', sql, values }) as Row[]
}

export function* first<Row>(sql: string, ...values: Value[]): Steps<Row | undefined> {
  const rows = (yield { kind: 'all', sql, values }) as Row[]
  return rows[0]
}

/** Changes rows, as many as there are. */
export function* write(sql: string, ...values: Value[]): Steps<void> {
  yield { kind: 'write', sql, values }
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

/**
 * Several courses of statements, of which none needs what another gives, side by side: what each asks next is asked together, in
 * their order, and travels once. None of them may catch what a statement throws.
 */
export function* together<const Courses extends readonly Steps<unknown>[]>(
  ...courses: Courses
): Steps<{ -readonly [C in keyof Courses]: Courses[C] extends Steps<infer T> ? T : never }> {
  const given: unknown[] = courses.map(() => undefined)
  let open = courses.map((course, at) => ({ course, at, step: course.next() }))
  for (;;) {
    for (const { step, at } of open) if (step.done) given[at] = step.value
    open = open.filter(({ step }) => !step.done)
    if (open.length === 0) return given as never
    const asked = open.map(({ step }) => step.value as Statement | readonly Statement[])
    const answers = (yield asked.flat() as Statement[]) as unknown[]
    open = open.map(({ course, at }, index) => {
      const each = asked[index] as Statement | readonly Statement[]
      return { course, at, step: course.next(isSeveral(each) ? answers.splice(0, each.length) : answers.shift()) }
    })
  }
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
