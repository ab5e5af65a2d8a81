import pg from 'pg'
import { migrate } from '../../src/postgres/database/migrate.ts'
import type { Partitions } from '../../src/postgres/database/schema/entries.ts'
import { postgresStore } from '../../src/postgres/open.ts'
import type { StoreGround } from '../../src/testing/contract/scene.ts'
import type { Server } from './server.ts'

let schemas = 0

/** A new schema in the server's database, migrated; gives its address. */
export async function newSchema(server: Server, partitions: Partitions | null = null): Promise<string> {
  schemas += 1
  const schema = `ground_${process.pid}_${schemas}`
  const client = new pg.Client({ connectionString: server.url() })
  await client.connect()
  try {
    await migrate(client, schema, partitions)
  } finally {
    await client.end()
  }
  return server.url('postgres', `?schema=${schema}&pool=4`)
}

/** Where one test keeps its data: a schema of its own. */
export async function postgresGround(server: Server, partitions: Partitions | null = null): Promise<StoreGround> {
  const url = await newSchema(server, partitions)
  return {
    openStore: postgresStore(url),
    backupDirectory: null,
    dispose: async () => {
      await server.query(`DROP SCHEMA ${new URL(url).searchParams.get('schema')} CASCADE`)
    },
  }
}
