import { DatabaseSync, type StatementSync } from 'node:sqlite'

/**
 * The same two statements as a durable append needs, on the main thread: `BEGIN IMMEDIATE; UPDATE … WHERE head = ?;
 * INSERT; COMMIT`. Every call blocks the event loop until the disk has answered.
 */
export class SqliteOnMainThread {
  readonly #database: DatabaseSync
  readonly #grow: StatementSync
  readonly #insert: StatementSync

  constructor(path: string, sessions: number) {
    this.#database = new DatabaseSync(path, { timeout: 0 })
    this.#database.exec(`
      PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE session (id INTEGER PRIMARY KEY, fence INTEGER NOT NULL, head INTEGER NOT NULL);
      CREATE TABLE entry (session INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
        UNIQUE (session, seq));
    `)
    const open = this.#database.prepare('INSERT INTO session VALUES (?, 1, 0)')
    for (let session = 0; session < sessions; session += 1) open.run(session)
    this.#grow = this.#database.prepare('UPDATE session SET head = head + 1 WHERE id = ? AND fence = 1 AND head = ?')
    this.#insert = this.#database.prepare('INSERT INTO entry VALUES (?, ?, ?, ?)')
  }

  append(session: number, head: number, id: string, entry: unknown): void {
    this.#database.exec('BEGIN IMMEDIATE')
    if (this.#grow.run(session, head).changes !== 1) throw new Error('the head has moved')
    this.#insert.run(session, head + 1, id, JSON.stringify(entry))
    this.#database.exec('COMMIT')
  }

  close(): void {
    this.#database.close()
  }
}
