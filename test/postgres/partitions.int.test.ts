import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrate } from '../../src/postgres/database/migrate.ts'
import { postgresStore } from '../../src/postgres/open.ts'
import { takeSession } from '../../src/testing/contract/retention/moves.ts'
import { alice, bob, problemsOf, Scene } from '../../src/testing/contract/scene.ts'
import { newSchema } from './ground.ts'
import { Server } from './server.ts'

let server: Server
beforeAll(async () => {
  server = await Server.start()
})
afterAll(() => server.stop())

const partitions = { count: 3, span: 2 }

async function again(url: string) {
  const client = new pg.Client({ connectionString: server.url() })
  await client.connect()
  try {
    return await migrate(client, schemaIn(url))
  } finally {
    await client.end()
  }
}

const schemaIn = (url: string): string => new URL(url).searchParams.get('schema') ?? ''

/** The partition that each entry is in. */
async function tablesOf(url: string): Promise<string[]> {
  const rows = await server.query(
    `SELECT DISTINCT c.relname AS name FROM ${schemaIn(url)}.entry e JOIN pg_class c ON c.oid = e.tableoid ORDER BY 1`,
  )
  return rows.map(({ name }) => String(name))
}

it('entries are dealt out by transcript, and what has no span of its own yet is kept too', async () => {
  const url = await newSchema(server, partitions)
  const scene = await Scene.open({ openStore: postgresStore(url), backupDirectory: null, dispose: async () => {} })
  await scene.say(alice, 'one', 'two')
  for (let number = 0; number < 9; number += 1) {
    await scene.say(bob, 'hello', 'hi')
    await scene.store.resetSession({ key: bob, reason: 'new', atMs: scene.nowMs })
  }
  const before = await tablesOf(url)
  expect(before).toContain('entry_rest')
  expect(before.filter((name) => name.startsWith('entry_0_') || name.startsWith('entry_1_')).length).toBeGreaterThan(1)

  expect((await again(url)).spans).toEqual({ made: expect.any(Number), dropped: 0 })
  await scene.say(bob, 'and on', 'yes')
  expect((await scene.entries(bob, 3)).length).toBe(3)
  expect(problemsOf(await scene.store.verify({ quick: false, atMs: scene.nowMs }))).toEqual([])
  const made = await newestSpan(url)
  for (let number = 0; number < 4; number += 1) {
    await scene.store.resetSession({ key: alice, reason: 'new', atMs: scene.nowMs })
    await scene.say(alice, 'later', 'words')
  }
  const spans = (await tablesOf(url)).filter((name) => Number(/^entry_(\d+)_/.exec(name)?.[1] ?? 0) > 1)
  expect(spans.length, 'the spans that were made are used').toBeGreaterThan(0)
  expect(made).toBeGreaterThan(1)

  for (const key of [alice, bob]) {
    const { taken } = await takeSession(scene, key)
    expect(taken.every(({ because }) => because === null)).toBe(true)
  }
  while (await scene.store.purge({ rowsMax: 1_000 }));
  expect((await again(url)).spans?.dropped, 'what is empty is dropped').toBeGreaterThan(1)
  await scene.say(alice, 'still', 'here')
  await scene.store.close()
})

async function newestSpan(url: string): Promise<number> {
  const rows = await server.query(
    `SELECT max(CAST(substring(relname FROM '^entry_([0-9]+)$') AS INTEGER)) AS newest FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '${schemaIn(url)}' AND relname ~ '^entry_[0-9]+$'`,
  )
  return Number(rows[0]?.newest)
}

it('a schema in one table stays so', async () => {
  expect((await again(await newSchema(server))).spans).toBe(null)
})
