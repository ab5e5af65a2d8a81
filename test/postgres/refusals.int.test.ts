import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { type ErrorCode, isHoldfastError } from '../../src/model/errors.ts'
import { grantSql } from '../../src/postgres/database/migrate.ts'
import { migrateAt, sqlFor } from '../../src/postgres/migrating.ts'
import { openReadOnly, postgresStore } from '../../src/postgres/open.ts'
import { alice, holderNamed, problemsOf, refused, Scene, wordsOf } from '../../src/testing/contract/scene.ts'
import { newSchema } from './ground.ts'
import { freePort, Server } from './server.ts'

let server: Server
beforeAll(async () => {
  server = await Server.start()
})
afterAll(() => server.stop())

const telemetry = { verb: () => {}, commit: () => {}, writable: () => {} }
const open = async (url: string) => {
  const store = await postgresStore(url)({ holder: holderNamed('holder-1'), telemetry, atMs: 1 })
  onTestFinished(() => store.close())
  return store
}
const schemaOf = (url: string) => new URL(url).searchParams.get('schema') as string

async function refusal(act: Promise<unknown>): Promise<[ErrorCode, string]> {
  const error = await act.then(
    () => new Error('it was not refused'),
    (found: unknown) => found,
  )
  if (!isHoldfastError(error)) throw error
  return [error.code, JSON.stringify(error.facts)]
}

describe('a store in PostgreSQL cannot be opened', () => {
  it('with the wrong password, which is not told', async () => {
    const url = new URL(await newSchema(server))
    url.password = 'guessed-wrong'
    const [code, facts] = await refusal(open(url.href))
    expect(code).toBe('STORE_CREDENTIALS')
    expect(facts).not.toContain('guessed-wrong')
  })

  it('where nobody listens, where no such host is, and where something else answers', async () => {
    const port = await freePort()
    expect((await refusal(open(`postgres://me@127.0.0.1:${port}/d`)))[0]).toBe('STORE_UNREACHABLE')
    expect((await refusal(open('postgres://me@nowhere.invalid/d?sslmode=disable')))[0]).toBe('STORE_UNREACHABLE')
    const strange = createServer((_, response) => response.end('hello'))
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void strange.close())
    const { port: other } = strange.address() as AddressInfo
    expect((await refusal(open(`postgres://me@127.0.0.1:${other}/d`)))[0]).toBe('STORE_UNREACHABLE')
  })

  it('where the database is not there, has no tables, or tables of others', async () => {
    expect((await refusal(open(server.url('nowhere'))))[0]).toBe('STORE_MISSING')
    const [code, facts] = await refusal(open(server.url('postgres', '?schema=empty')))
    expect([code, facts]).toEqual(['STORE_MISSING', expect.stringContaining('holdfast migrate')])
    await server.query('CREATE SCHEMA theirs; CREATE TABLE theirs.thing (id INT)')
    expect((await refusal(open(server.url('postgres', '?schema=theirs'))))[0]).toBe('STORE_FOREIGN')
    expect((await refusal(migrateAt(server.url('postgres', '?schema=theirs'))))[0]).toBe('STORE_FOREIGN')
  })

  it('where the tables are of another version, newer or older', async () => {
    const url = await newSchema(server)
    const setVersion = (version: number) =>
      server.query(`UPDATE ${schemaOf(url)}.meta SET value = '{"version":${version}}' WHERE name = 'schema'`)
    await setVersion(99)
    expect((await refusal(open(url)))[0]).toBe('STORE_NEWER')
    expect((await refusal(migrateAt(url)))[0]).toBe('STORE_NEWER')
    await setVersion(0)
    expect((await refusal(open(url)))[0]).toBe('STORE_OLDER')
  })

  it('without the encryption that its address asks for', async () => {
    const url = `${await newSchema(server)}&sslmode=require`
    expect((await refusal(open(url)))[0]).toBe('STORE_TLS')
  })

  it('by a role without rights, and works with the least that docs/postgres.md gives one, which cannot change tables', async () => {
    const url = new URL(await newSchema(server))
    await server.query("CREATE ROLE gateway LOGIN PASSWORD 'least'")
    url.username = 'gateway'
    url.password = 'least'
    expect((await refusal(open(url.href)))[0]).toBe('STORE_RIGHTS')
    await server.query(grantSql(schemaOf(url.href), 'gateway'))
    await using engine = await openHoldfast({ store: postgresStore(url.href), run: async () => 'hi', watch: false })
    const { turn } = await engine.submit({ key: alice, messages: 'hello' })
    const { reply } = await engine.settled(turn.id, AbortSignal.timeout(20_000))
    expect(wordsOf(reply)).toEqual(['hi'])
    url.searchParams.set('schema', 'more')
    expect((await refusal(migrateAt(url.href)))[0]).toBe('STORE_RIGHTS')
  })
})

describe('a store in PostgreSQL', () => {
  it('that may only be read says so at each write, and reads', async () => {
    const url = new URL(await newSchema(server))
    const scene = await Scene.open({
      openStore: postgresStore(url.href),
      backupDirectory: null,
      dispose: async () => {},
    })
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    await server.query(
      `CREATE ROLE standby LOGIN SUPERUSER PASSWORD 's'; ALTER ROLE standby SET default_transaction_read_only = on`,
    )
    url.username = 'standby'
    url.password = 's'
    expect((await refusal(open(url.href)))[0]).toBe('STORE_READ_ONLY')
    const reading = await openReadOnly(url.href)
    onTestFinished(() => reading.close())
    expect((await reading.readSession(alice))?.head).toBe(2)
    await refused('STORE_READ_ONLY', reading.openSession({ key: alice, atMs: 1 }))
  })

  it('is made by the statements that are printed, as by the command', async () => {
    const url = server.url('postgres', '?schema=printed')
    await server.query(await sqlFor(url, { role: null, partitions: null }))
    expect(await migrateAt(url)).toMatchObject({ from: 1, to: 1 })
    const store = await open(url)
    expect(problemsOf(await store.verify({ quick: false, atMs: 1 }))).toEqual([])
  })

  it('is migrated once, by however many that begin at once', async () => {
    const url = server.url('postgres', '?schema=at_once')
    const reports = await Promise.all(Array.from({ length: 5 }, () => migrateAt(url)))
    expect(reports.filter(({ from }) => from === 0)).toHaveLength(1)
  })

  it('loses nothing when its server is restarted under it, also in the middle of claims', async () => {
    const url = await newSchema(server)
    await using engine = await openHoldfast({
      store: postgresStore(url),
      run: async (turn) => `re: ${turn.messages[0]?.content}`,
      watch: false,
    })
    const said = Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        engine.submit({ key: alice, messages: `m${index}`, dedupeKey: `k${index}` }),
      ),
    )
    await server.restart()
    const turns = await said
    for (const { turn } of turns) await engine.settled(turn.id, AbortSignal.timeout(60_000))
    const { entries } = await engine.store.readEntries({ key: alice, order: 'oldest', limit: 200 })
    expect(entries).toHaveLength(80)
    expect(problemsOf(await engine.store.verify({ quick: false, atMs: Date.now() }))).toEqual([])
  })
})
