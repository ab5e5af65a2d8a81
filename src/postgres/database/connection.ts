import pg from 'pg'
import type { Value } from '../../relational/steps.ts'
import type { ConnectionSettings } from '../threads/data.ts'
import { textKept, textToKeep } from './text.ts'

/** What a statement gave. */
export interface Result {
  rows: unknown[]
  /** Rows that were changed; for a query, how many it gave. */
  changed: number
  /** What was done, in the server's word for it. */
  command: string
}

/** A statement's text; with a name the server reads and plans it once for each of its connections. */
export interface Text {
  text: string
  name?: string
}

/**
 * One connection inside one transaction. Statements travel as soon as they are asked for, and are done one after the other: who
 * awaits none but the last has gone the way once.
 */
export class Connection {
  readonly #client: pg.PoolClient
  readonly #named: boolean
  /** Answers that nobody waits for. */
  #sent: Promise<Result>[] = []

  /** `named`: the connection is one and the same server for as long as it is open. */
  constructor(client: pg.PoolClient, named: boolean) {
    this.#client = client
    this.#named = named
  }

  /** Values are always bound, never spelled out. @throws what the first statement that went wrong threw, of those sent before too */
  async query(text: string | Text, values: readonly Value[] = []): Promise<Result> {
    const before = this.#sent
    this.#sent = []
    try {
      return await this.#ask(text, values) // after an error the server takes nothing more, so there was none
    } catch (error) {
      for (const answered of before) await answered
      throw error
    }
  }

  /** What it throws, the next one throws that is awaited. */
  send(text: string | Text, values: readonly Value[] = []): void {
    const answered = this.#ask(text, values)
    answered.catch(() => {}) // see `landed`
    this.#sent.push(answered)
  }

  /** Waits for all that was sent, and gives the server's word for the last. @throws what the first of it threw */
  async landed(): Promise<string | undefined> {
    const sent = this.#sent
    this.#sent = []
    let command: string | undefined
    for (const answered of sent) command = (await answered).command
    return command
  }

  async #ask(statement: string | Text, values: readonly Value[]): Promise<Result> {
    const { text, name } = typeof statement === 'string' ? { text: statement, name: undefined } : statement
    const named = this.#named && name !== undefined ? { name } : {}
    const { rows, rowCount, command } = await this.#client.query({ text, values: values.map(bound), ...named })
    return { rows, changed: rowCount ?? 0, command }
  }
}

const bound = (value: Value): Value => (typeof value === 'string' ? textToKeep(value) : value)

/** Bounds of every statement and of every wait inside a transaction. Unit: ms. */
export const limitsMs = { connect: 5_000, statement: 10_000, lock: 5_000, idleInTransaction: 10_000 } as const

/** A server that says nothing at all for longer is taken as gone. Unit: ms. */
const silenceMs = limitsMs.statement + 5_000

/** Plans of named statements are as old as their connection at most: they are made for tables of the size of then. */
const lifetimeSeconds = 300

const int8 = 20
const numeric = 1700
const booleans = 16
const texts = 25

/** Numbers as numbers: all that is stored stays below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === int8 || oid === numeric) return Number
    if (oid === texts) return textKept
    if (oid === booleans) return (text: string) => (text === 't' ? 1 : 0)
    return pg.types.getTypeParser(oid, format as 'text')
  }) as typeof pg.types.getTypeParser,
}

/** What the client library is told. */
export function clientConfig({ ssl, ...settings }: ConnectionSettings): pg.ClientConfig {
  if (ssl === false) return { ...settings, ssl }
  const { checksName, ...files } = ssl
  return { ...settings, ssl: checksName ? files : { ...files, checkServerIdentity: () => undefined } }
}

/** Connections, of which each transaction gets one. */
export interface Pool {
  readonly connections: pg.Pool
  readonly schema: string
  /** Statements have names. Not behind a pooler that deals the server's connections out and knows no names: it is found out. */
  named: boolean
}

export function openPool(settings: ConnectionSettings, schema: string, connectionsMax: number): Pool {
  const pool = new pg.Pool({
    ...clientConfig(settings),
    max: connectionsMax,
    types,
    connectionTimeoutMillis: limitsMs.connect,
    query_timeout: silenceMs,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
    maxLifetimeSeconds: lifetimeSeconds,
    pipeline: true,
  } as pg.PoolConfig)
  // a connection that the server closed: whoever uses it is told by the next query, and of idle ones the next call opens another
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', () => {})
  return { connections: pool, schema, named: true }
}

/** What begins a transaction. All that is set ends with it: behind a pooler the next may have another connection. */
export function beginning(schema: string, mode: 'write' | 'read'): string {
  const begin =
    mode === 'write' ? 'BEGIN ISOLATION LEVEL READ COMMITTED' : 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'
  return [
    begin,
    `SET LOCAL search_path = ${quoted(schema)}`,
    `SET LOCAL statement_timeout = ${limitsMs.statement}`,
    `SET LOCAL lock_timeout = ${limitsMs.lock}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${limitsMs.idleInTransaction}`,
  ].join('; ')
}

/** A name as SQL writes it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
