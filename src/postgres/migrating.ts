import pg from 'pg'
import { clientConfig, limitsMs } from './database/connection.ts'
import { unreachableOr } from './database/failures.ts'
import { lookAt } from './database/identity.ts'
import { grantSql, migrate, migrationSql } from './database/migrate.ts'
import type { Partitions } from './database/schema/entries.ts'
import { schemaVersion } from './database/schema.ts'
import { type DatabasePlace, describeDatabase, parseDatabaseUrl } from './url.ts'

/** What was done to a schema: `from` 0 where there was none, equal to `to` where nothing was to do. */
export interface MigrationReport {
  /** Without secrets. */
  store: string
  from: number
  to: number
  role: string | null
  /** Where entries are partitioned: spans of tables that were made for what comes, and dropped since nothing is in them any more. */
  spans: { made: number; dropped: number } | null
}

/** How a new schema is made. */
export interface MigrationOptions {
  role: string | null
  partitions: Partitions | null
}

/**
 * Brings the schema at this address to this version, in one transaction, and grants a role what a gateway needs. Doing it again, or
 * from several places at once, is the same as doing it once.
 * @throws HoldfastError STORE_URL_INVALID, STORE_UNREACHABLE, STORE_CREDENTIALS, STORE_TLS, STORE_RIGHTS, STORE_NEWER, STORE_FOREIGN
 */
export async function migrateAt(
  url: string,
  { role, partitions }: MigrationOptions = { role: null, partitions: null },
): Promise<MigrationReport> {
  const place = parseDatabaseUrl(url)
  return await withClient(place, async (client) => {
    const migrated = await migrate(client, place.schema, partitions)
    if (role !== null) await client.query(grantSql(place.schema, role))
    return { store: describeDatabase(url), ...migrated, role }
  })
}

/** What `migrateAt` would run there; without an address, what it runs in an empty database. @throws as {@link migrateAt} */
export async function sqlFor(url: string | null, { role, partitions }: MigrationOptions): Promise<string> {
  const place = url === null ? null : parseDatabaseUrl(url)
  const schema = place?.schema ?? 'holdfast'
  const found = place === null ? null : await withClient(place, (client) => lookAt(client, schema))
  const from = found?.kind === 'ours' ? found.version : 0
  const steps = from === schemaVersion ? '-- the schema is of this version' : migrationSql(schema, from, partitions)
  return ['BEGIN;', steps, ...(role === null ? [] : [grantSql(schema, role)]), 'COMMIT;'].join('\n')
}

async function withClient<T>({ connection }: DatabasePlace, act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...clientConfig(connection), connectionTimeoutMillis: limitsMs.connect })
  client.on('error', () => {}) // the query under way says so
  try {
    await client.connect()
    return await act(client)
  } catch (error) {
    throw unreachableOr(error)
  } finally {
    await client.end().catch(() => {}) // it may never have begun
  }
}
