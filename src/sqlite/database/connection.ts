import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { HoldfastError } from '../../model/errors.ts'

/** Before this release a checkpoint beside a writer could corrupt the file (https://sqlite.org/wal.html, WAL-reset bug). */
const sqliteVersionMin = [3, 51, 3] as const

/** Memory for pages: four threads' connections together stay under 64 MB. */
const cacheKilobytes = 16_384

export type Durability = 'full' | 'unsafe-for-tests'

/**
 * One SQLite connection and its prepared statements, each prepared once. Values are always bound, never spelled out. A limit is
 * bound as `LIMIT ? + 0`: SQLite plans by the value of a bare one, and so prepares the statement anew with each call.
 */
export class Connection {
  readonly database: DatabaseSync
  /** Rows that `run` and `insert` have changed so far: what a later rollback took back is counted as well. */
  changed = 0
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string, readOnly: boolean) {
    this.database = new DatabaseSync(path, { readOnly, timeout: 0, enableForeignKeyConstraints: false })
  }

  first<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  /** Rows as they are read. The same statement must not be used again before this ends. */
  each<Row>(sql: string, ...values: SQLInputValue[]): IterableIterator<Row> {
    return this.#statement(sql).iterate(...values) as IterableIterator<Row>
  }

  /** Gives the number of rows that were changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    const changes = Number(this.#statement(sql).run(...values).changes)
    this.changed += changes
    return changes
  }

  /** Gives what the statement returns as `id`. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    this.changed += 1
    return (this.#statement(sql).get(...values) as { id: number }).id
  }

  /** What begins or ends a transaction. It changes no row, but SQLite would give the number of the statement before. */
  command(sql: string): void {
    this.#statement(sql).run()
  }

  /** Statements without values: pragmas, schema. */
  script(sql: string): void {
    this.database.exec(sql)
  }

  pragma(name: string): number | string {
    const row = this.database.prepare(`PRAGMA ${name}`).get() as Record<string, number | string> | undefined
    return row === undefined ? '' : (Object.values(row)[0] as number | string)
  }

  close(): void {
    if (!this.database.isOpen) return
    this.#statements.clear()
    this.database.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Makes the file, or one that came from a backup, what the other connections expect. For its owner, before they open it. */
export function prepareFile(path: string): void {
  const connection = new Connection(path, false)
  try {
    checkVersion(connection)
    connection.script('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL')
  } finally {
    connection.close()
  }
}

/**
 * A connection that writes, to a prepared file. Checkpoints are the keeper's: none happens inside a commit.
 * @throws HoldfastError STORE_SQLITE_TOO_OLD, INTERNAL when SQLite did not take a setting that durability needs
 */
export function openForWriting(path: string, durability: Durability): Connection {
  const connection = new Connection(path, false)
  try {
    checkVersion(connection)
    const synchronous = durability === 'full' ? 2 : 0
    connection.script(`PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 0`)
    connection.script(`PRAGMA cache_size = -${cacheKilobytes}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF`)
    connection.script('PRAGMA secure_delete = ON') // what is deleted is overwritten, and freed pages are zeroed
    assertSetting(connection, 'journal_mode', 'wal')
    assertSetting(connection, 'synchronous', synchronous)
    assertSetting(connection, 'wal_autocheckpoint', 0)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** A connection that cannot write. @throws HoldfastError STORE_SQLITE_TOO_OLD */
export function openForReading(path: string): Connection {
  const connection = new Connection(path, true)
  try {
    checkVersion(connection)
    connection.script(`PRAGMA query_only = ON; PRAGMA cache_size = -${cacheKilobytes}; PRAGMA temp_store = MEMORY`)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

function checkVersion(connection: Connection): void {
  const { version } = connection.first<{ version: string }>('SELECT sqlite_version() AS version') as { version: string }
  if (!isNewEnough(version)) throw new HoldfastError('STORE_SQLITE_TOO_OLD', { found: version })
}

export function isNewEnough(version: string): boolean {
  const found = version.split('.').map(Number)
  for (const [index, wanted] of sqliteVersionMin.entries()) {
    const part = found[index] ?? 0
    if (part !== wanted) return part > wanted
  }
  return true
}

function assertSetting(connection: Connection, name: string, wanted: number | string): void {
  const found = connection.pragma(name)
  if (found !== wanted) throw new HoldfastError('INTERNAL', { because: `SQLite keeps ${name} at ${found}` })
}
