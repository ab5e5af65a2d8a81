import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Round } from '../measure.ts'

/** One entry, if the fence and the head are as they were: what a builder would write by hand, with nothing else beside it. */
const byHand = {
  tables: `
    CREATE TABLE own_session (key TEXT PRIMARY KEY, fence BIGINT NOT NULL, head BIGINT NOT NULL);
    CREATE TABLE own_entry (
      n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, session TEXT NOT NULL, seq BIGINT NOT NULL, id TEXT NOT NULL UNIQUE,
      body TEXT NOT NULL, UNIQUE (session, seq));
    INSERT INTO own_session SELECT 's' || number, 1, 0 FROM generate_series(0, 99) number;`,
  append: `
    WITH grown AS (
      UPDATE own_session SET head = head + 1 WHERE key = $1 AND fence = $2 AND head = $3 RETURNING head)
    INSERT INTO own_entry (session, seq, id, body) SELECT $1, head, $4, $5 FROM grown RETURNING seq`,
}

/** The same statement from node, prepared, on a connection for each writer. */
export class HandWritten {
  readonly #clients: pg.Client[]
  readonly #heads: number[]

  private constructor(clients: pg.Client[]) {
    this.#clients = clients
    this.#heads = clients.map(() => 0)
  }

  static async open(url: string, writers: number): Promise<HandWritten> {
    const clients = Array.from({ length: writers }, () => new pg.Client({ connectionString: url }))
    for (const client of clients) await client.connect()
    await clients[0]?.query(byHand.tables)
    return new HandWritten(clients)
  }

  async append(writer: number, body: string): Promise<void> {
    const values = [`s${writer}`, 1, this.#heads[writer], randomUUID(), body]
    const client = this.#clients[writer] as pg.Client
    const { rows } = await client.query({ name: 'append', text: byHand.append, values })
    if (rows.length !== 1) throw new Error('the append by hand was refused')
    this.#heads[writer] = Number((rows[0] as { seq: string }).seq)
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.end()
  }
}

/** `pgbench` with the statement, its head read in it: what the server does when no client costs anything. Null where it is not installed. */
export async function pgbench(
  url: string,
  folder: string,
  options: { clients: number; seconds: number; bodyBytes: number },
): Promise<Round | null> {
  const script = join(folder, 'append.sql')
  const { hostname, port, username, password, pathname } = new URL(url)
  writeFileSync(
    script,
    `WITH grown AS (UPDATE own_session SET head = head + 1 WHERE key = 's' || (50 + :client_id) AND fence = 1 RETURNING key, head)
     INSERT INTO own_entry (session, seq, id, body) SELECT key, head, gen_random_uuid(), repeat('x', ${options.bodyBytes}) FROM grown;\n`,
  )
  const given = ['-n', '-M', 'prepared', '-c', options.clients, '-j', 1, '-T', options.seconds, '-f', script].map(
    String,
  )
  const at = ['-h', hostname, '-p', port, '-U', username, pathname.slice(1)]
  try {
    const { stdout } = await promisify(execFile)('pgbench', [...given, ...at], {
      env: { ...process.env, PGPASSWORD: decodeURIComponent(password) },
    })
    const figure = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1])
    const count = figure(/transactions actually processed: (\d+)/)
    const perSecond = figure(/^tps = ([\d.]+)/m)
    const latencyMs = figure(/latency average = ([\d.]+) ms/)
    return { latenciesMs: Array.from({ length: count }, () => latencyMs), wallMs: (count / perSecond) * 1_000 }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
