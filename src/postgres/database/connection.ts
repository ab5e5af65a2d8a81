import pg from 'pg'
import type { Value } from '../../relational/steps.ts'
import type { ConnectionSettings } from '../threads/data.ts'
import { textKept, textToKeep } from './text.ts'

/** What a statement gave. */
export interface Result {
  rows: unknown[]
  /** Rows that were changed; for a query, how many it gave. */
  changed: number
}

/** One connection inside one transaction. */
export class Connection {
  readonly #client: pg.PoolClient

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  /** Values are always bound, never spelled out; statements have no name, so that a pooler may give each transaction another server. */
  async query(text: string, values: readonly Value[] = []): Promise<Result> {
    const { rows, rowCount } = await this.#client.query(text, values.map(bound))
    return { rows, changed: rowCount ?? 0 }
  }
}

const bound = (value: Value): Value => (typeof value === 'string' ? textToKeep(value) : value)

/** Bounds of every statement and of every wait inside a transaction. Unit: ms. */
export const limitsMs = { connect: 5_000, statement: 10_000, lock: 5_000, idleInTransaction: 10_000 } as const

/** A server that says nothing at all for longer is taken as gone. Unit: ms. */
const silenceMs = limitsMs.statement + 5_000

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

export function openPool(settings: ConnectionSettings, connectionsMax: number): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(settings),
    max: connectionsMax,
    types,
    connectionTimeoutMillis: limitsMs.connect,
    query_timeout: silenceMs,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
  })
  // a connection that the server closed: whoever uses it is told by the next query, and of idle ones the next call opens another
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', () => {})
  return pool
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
