import type pg from 'pg'
import { quoted } from './connection.ts'
import { isDatabaseError } from './failures.ts'
import { checkFound, type Found, lookAt } from './identity.ts'
import { extendPartitions } from './partitions.ts'
import type { Partitions } from './schema/entries.ts'
import { schemaVersion, tablesWith, views } from './schema.ts'

/** One step of the schema, forward only. `to` is the version after it. */
export interface Migration {
  to: number
  sql: string
}

const migrationsWith = (partitions: Partitions | null): readonly Migration[] => [{ to: 1, sql: tablesWith(partitions) }]

const versionSql = `
INSERT INTO meta (name, value) VALUES ('schema', '{"version":${schemaVersion}}')
ON CONFLICT (name) DO UPDATE SET value = excluded.value;`

/** What brings a schema of this version (0: none) to the present one. It runs in one transaction. */
export function migrationSql(
  schema: string,
  from: number,
  partitions: Partitions | null = null,
  steps: readonly Migration[] = migrationsWith(partitions),
): string {
  const todo = steps.filter(({ to }) => to > from).map(({ sql }) => sql)
  const begin = from === 0 ? `CREATE SCHEMA IF NOT EXISTS ${quoted(schema)};\n` : ''
  return `${begin}SET LOCAL search_path = ${quoted(schema)};\n${[...todo, views, versionSql].join('\n')}`
}

export interface Migrated {
  from: number
  to: number
  /** Spans of partitions that were made and dropped, where entries are partitioned. */
  spans: { made: number; dropped: number } | null
}

/**
 * Afterwards the schema is that of this version. All steps in one transaction; of several that migrate at once one does it, and
 * the others find it done. `partitions` say how a new schema deals out its entries; one that does so is given room for what comes.
 * @throws HoldfastError STORE_NEWER, STORE_FOREIGN; then nothing has changed
 */
export async function migrate(
  client: pg.ClientBase,
  schema: string,
  partitions: Partitions | null = null,
): Promise<Migrated> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryMigrate(client, schema, partitions)
    } catch (error) {
      if (!isThereAlready(error) || tries === triesMax) throw error // another began at the same time, and has ended now
    }
  }
}

const triesMax = 5

/** unique_violation, duplicate_schema, duplicate_table, duplicate_object, duplicate_function */
const thereAlready: ReadonlySet<string> = new Set(['23505', '42P06', '42P07', '42710', '42723'])

const isThereAlready = (error: unknown): boolean => isDatabaseError(error) && thereAlready.has(error.code)

async function tryMigrate(client: pg.ClientBase, schema: string, partitions: Partitions | null): Promise<Migrated> {
  await client.query('BEGIN')
  try {
    const from = versionOf(await lookAt(client, schema), schema)
    if (from > 0) await client.query(`LOCK TABLE ${quoted(schema)}.meta IN EXCLUSIVE MODE`)
    if (from < schemaVersion) await client.query(migrationSql(schema, from, partitions))
    const spans = await extendPartitions(client, schema)
    await client.query('COMMIT')
    return { from, to: schemaVersion, spans }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // a lost connection takes it back as well
    throw error
  }
}

function versionOf(found: Found, schema: string): number {
  if (found.kind === 'nothing') return 0
  if (found.kind === 'ours' && found.version < schemaVersion) return found.version
  checkFound(found, schema)
  return schemaVersion
}

/** What a gateway's role needs, and no more: it changes rows, never tables. */
export function grantSql(schema: string, role: string): string {
  const [at, to] = [quoted(schema), quoted(role)]
  return [
    `GRANT USAGE ON SCHEMA ${at} TO ${to};`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${at} TO ${to};`,
    `GRANT SELECT, USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA ${at} TO ${to};`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${at} TO ${to};`,
  ].join('\n')
}
