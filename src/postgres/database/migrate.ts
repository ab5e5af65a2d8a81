import type pg from 'pg'
import { quoted } from './connection.ts'
import { isDatabaseError } from './failures.ts'
import { checkFound, type Found, lookAt } from './identity.ts'
import { schemaVersion, tables, views } from './schema.ts'

/** One step of the schema, forward only. `to` is the version after it. */
export interface Migration {
  to: number
  sql: string
}

const migrations: readonly Migration[] = [{ to: 1, sql: tables }]

const versionSql = `
INSERT INTO meta (name, value) VALUES ('schema', '{"version":${schemaVersion}}')
ON CONFLICT (name) DO UPDATE SET value = excluded.value;`

/** What brings a schema of this version (0: none) to the present one. It runs in one transaction. */
export function migrationSql(schema: string, from: number, steps: readonly Migration[] = migrations): string {
  const todo = steps.filter(({ to }) => to > from).map(({ sql }) => sql)
  const begin = from === 0 ? `CREATE SCHEMA IF NOT EXISTS ${quoted(schema)};\n` : ''
  return `${begin}SET LOCAL search_path = ${quoted(schema)};\n${[...todo, views, versionSql].join('\n')}`
}

export interface Migrated {
  from: number
  to: number
}

/**
 * Afterwards the schema is that of this version. All steps in one transaction; of several that migrate at once one does it, and
 * the others find it done. Null when there was nothing to do.
 * @throws HoldfastError STORE_NEWER, STORE_FOREIGN; then nothing has changed
 */
export async function migrate(client: pg.ClientBase, schema: string): Promise<Migrated | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryMigrate(client, schema)
    } catch (error) {
      if (!isThereAlready(error) || tries === triesMax) throw error // another began at the same time, and has ended now
    }
  }
}

const triesMax = 5

/** unique_violation, duplicate_schema, duplicate_table, duplicate_object, duplicate_function */
const thereAlready: ReadonlySet<string> = new Set(['23505', '42P06', '42P07', '42710', '42723'])

const isThereAlready = (error: unknown): boolean => isDatabaseError(error) && thereAlready.has(error.code)

async function tryMigrate(client: pg.ClientBase, schema: string): Promise<Migrated | null> {
  await client.query('BEGIN')
  try {
    const from = versionOf(await lookAt(client, schema), schema)
    if (from === schemaVersion) {
      await client.query('ROLLBACK')
      return null
    }
    if (from > 0) await client.query(`LOCK TABLE ${quoted(schema)}.meta IN EXCLUSIVE MODE`)
    await client.query(migrationSql(schema, from))
    await client.query('COMMIT')
    return { from, to: schemaVersion }
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
