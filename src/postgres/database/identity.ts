import type pg from 'pg'
import { HoldfastError } from '../../model/errors.ts'
import { quoted } from './connection.ts'
import { schemaVersion } from './schema.ts'

/** What is in the schema: nothing, tables of others, or ours in some version. */
export type Found = { kind: 'nothing' } | { kind: 'foreign'; tables: number } | { kind: 'ours'; version: number }

export async function lookAt(client: pg.ClientBase, schema: string): Promise<Found> {
  const { rows } = await client.query<{ tables: number; meta: number }>(
    `SELECT CAST(count(*) AS INTEGER) AS tables, CAST(count(*) FILTER (WHERE c.relname = 'meta') AS INTEGER) AS meta
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v')`,
    [schema],
  )
  const { tables, meta } = rows[0] ?? { tables: 0, meta: 0 }
  if (tables === 0) return { kind: 'nothing' }
  if (meta === 0) return { kind: 'foreign', tables }
  const found = await client.query<{ value: string }>(`SELECT value FROM ${quoted(schema)}.meta WHERE name = 'schema'`)
  const version = Number((JSON.parse(found.rows[0]?.value ?? '{}') as { version?: unknown }).version)
  return Number.isInteger(version) ? { kind: 'ours', version } : { kind: 'foreign', tables }
}

/** Can this version work with what is there? @throws HoldfastError STORE_MISSING, STORE_FOREIGN, STORE_OLDER, STORE_NEWER */
export function checkFound(found: Found, schema: string): void {
  switch (found.kind) {
    case 'nothing':
      throw new HoldfastError('STORE_MISSING', {
        schema,
        because: 'it has no tables yet: `holdfast migrate` makes them',
      })
    case 'foreign':
      throw new HoldfastError('STORE_FOREIGN', { schema, tables: found.tables })
    case 'ours':
      if (found.version > schemaVersion) {
        throw new HoldfastError('STORE_NEWER', { found: found.version, supported: schemaVersion })
      }
      if (found.version < schemaVersion) {
        throw new HoldfastError('STORE_OLDER', { found: found.version, supported: schemaVersion })
      }
  }
}
