import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { postgresStore } from '../../src/postgres/open.ts'
import { wordsOf } from '../../src/postgres/statements/words.ts'
import { laneSql } from '../../src/relational/statements/lanes.ts'
import { turnSql } from '../../src/relational/statements/turns.ts'
import { holderNamed, problemsOf, Scene } from '../../src/testing/contract/scene.ts'
import { newSchema } from './ground.ts'
import { Server } from './server.ts'

let server: Server
beforeAll(async () => {
  server = await Server.start()
})
afterAll(() => server.stop())

/** As many gateways' stores on one schema. The sources' rows, among others, are verified afterwards. */
async function gateways(count: number) {
  const url = await newSchema(server)
  const open = () => Scene.open({ openStore: postgresStore(url), backupDirectory: null, dispose: async () => {} })
  const scenes = [await open()]
  for (let index = 1; index < count; index += 1) {
    const scene = await open()
    await scene.reopen(holderNamed(`gateway-${index}`))
    scenes.push(scene)
  }
  const first = scenes[0] as Scene
  onTestFinished(async () => {
    expect(problemsOf(await first.store.verify({ quick: false, atMs: first.nowMs }))).toEqual([])
    for (const { store } of scenes) await store.close()
  })
  return { url, scenes, first }
}

/** Holds the row of a session, as a verb of another gateway does; gives how to let it go. */
async function hold(url: string, key: SessionKey): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: server.url() })
  await client.connect()
  await client.query('BEGIN')
  const schema = new URL(url).searchParams.get('schema')
  const { rows } = await client.query(`SELECT id FROM ${schema}.session WHERE key = $1 FOR UPDATE`, [key])
  expect(rows).toHaveLength(1)
  return async () => {
    await client.query('ROLLBACK')
    await client.end()
  }
}

describe('claims of several gateways', () => {
  it.each([1, 5])('made together give each a turn of its own, of %i sources', async (sources) => {
    const { scenes, first } = await gateways(4)
    for (let index = 0; index < 48; index += 1)
      await first.admit(parseSessionKey(`s${index}`), 'hello', { source: `source-${index % sources}` })
    const claimed = await Promise.all(
      scenes.map(async (scene, at) => {
        const ids: string[] = []
        const holder = holderNamed(`gateway-${at}`)
        while (ids.length < 12) ids.push((await scene.claim({ holder })).turn.id)
        return ids
      }),
    )
    expect(new Set(claimed.flat()).size).toBe(48)
    expect(await first.tryClaim()).toBe(null)
  })

  it('pass over a session that is held: for another source first, then for the next turn of the same', async () => {
    const { url, first } = await gateways(1)
    const [one, two, three] = ['one', 'two', 'three'].map(parseSessionKey) as [SessionKey, SessionKey, SessionKey]
    await first.admit(one, 'a', { source: 'a' })
    await first.admit(two, 'a', { source: 'a' })
    await first.admit(three, 'b', { source: 'b' })
    const release = await hold(url, one)
    expect((await first.claim()).turn.sessionKey).toBe(three)
    expect((await first.claim()).turn.sessionKey).toBe(two)
    expect(await first.tryClaim()).toBe(null) // not waited for longer than a moment
    await release()
    expect((await first.claim()).turn.sessionKey).toBe(one)
  })
})

it('what every claim asks is read from indexes, however many turns have no window to be closed', async () => {
  const { url, first } = await gateways(1)
  const client = new pg.Client({ connectionString: server.url() })
  await client.connect()
  await client.query(
    `SET search_path = ${new URL(url).searchParams.get('schema')}; SET plan_cache_mode = force_generic_plan`,
  )
  await first.admit(parseSessionKey('alice'), 'hello')
  // turns that ended long ago, of no session: what follows is taken back
  await client.query('BEGIN')
  await client.query(`
    INSERT INTO turn (position, id, session, lane, source, status, place, lane_order, admitted_ms, queued_ms, settled_ms, streaming)
    SELECT 100 + n, 'old-' || n, 0, 'main', 'old', 'done', 100 + n, 100 + n, 1, 1, 1, 0 FROM generate_series(1, 5000) n`)
  await client.query('ANALYZE turn')
  for (const [name, sql, values] of [
    ['claimable', turnSql.claimable, "'claim', 1"],
    ['due', turnSql.due, '1, 1000'],
    ['in_turn', laneSql.inTurn, "'main', '[]'"],
    ['by_age', laneSql.byAge, "'main', '[]'"],
  ]) {
    const [words] = wordsOf(sql as string)
    await client.query(`PREPARE ${name} AS ${words?.text}`)
    const { rows } = await client.query(`EXPLAIN EXECUTE ${name}(${values})`)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan, name).not.toMatch(/Seq Scan on turn/)
    expect(plan, name).toMatch(/Index (Only )?Scan.* on turn/)
  }
  await client.query('ROLLBACK')
  await client.end()
})
