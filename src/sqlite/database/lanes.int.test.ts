import { mkdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { alice, bob, holderNamed, lanesOf, problemsOf, type Scene } from '../../testing/contract/scene.ts'
import { Connection, openForWriting, prepareFile } from './connection.ts'
import { migrate, migrations } from './migrate.ts'

/** What a store of version 1 may hold: turns that have ended, run, wait behind others, collect messages, can start. */
async function furnish(scene: Scene): Promise<void> {
  await scene.say(alice, 'hello', 'hi')
  await scene.admit(alice, 'runs', { source: 'telegram' })
  await scene.claim()
  await scene.admit(alice, 'waits behind it', { source: 'telegram' })
  for (const [number, source] of ['telegram', 'telegram', 'irc', 'telegram'].entries()) {
    await scene.admit(parseSessionKey(`chat:${number}`), source, { source })
  }
  await scene.admit(bob, 'collects', { source: 'mail', onBusy: 'coalesce', coalesceMs: 1_000 })
  await scene.admit(parseSessionKey('cron:1'), 'is due', { lane: 'cron', source: 'cron' })
}

/** A file of version 1, by that version's own tables, with the rows of `from`. */
function writeVersion1({ data, database }: Scratch, from: string): void {
  mkdirSync(data, { mode: 0o700 })
  prepareFile(database)
  const db = openForWriting(database, 'full')
  migrate(db, database, migrations.slice(0, 1), 1)
  db.script(`ATTACH '${from}' AS made`)
  for (const { name } of db.all<{ name: string }>(`SELECT name FROM main.sqlite_schema WHERE type = 'table'`)) {
    const columns = db.all<{ name: string }>(`SELECT name FROM pragma_table_info('${name}')`).map((row) => row.name)
    db.script(`INSERT INTO main.${name} (${columns}) SELECT ${columns} FROM made.${name}`)
  }
  db.close()
}

function linesOf(path: string): unknown[] {
  const db = new Connection(path, true)
  try {
    return db.all('SELECT lane, source, first_order AS first FROM source ORDER BY lane, source')
  } finally {
    db.close()
  }
}

it('a store of the version before these tables goes on with who waits and who runs', async () => {
  await using made = new Scratch()
  await using old = new Scratch()
  const before = await made.scene()
  await furnish(before)
  await before.store.close()
  writeVersion1(old, made.database)
  const db = new Connection(old.database, true)
  expect(db.pragma('user_version')).toBe(1)
  expect(() => db.first('SELECT 1 FROM source')).toThrow('no such table')
  db.close()

  const scene = await old.scene()
  expect(problemsOf(await scene.store.verify({ quick: false, atMs: 1 }))).toEqual([])
  expect(linesOf(old.database)).toEqual([
    { lane: 'cron', source: 'cron', first: 9 },
    { lane: 'main', source: 'irc', first: 6 },
    { lane: 'main', source: 'telegram', first: 4 },
  ])
  const rules = lanesOf({ main: 4, cron: 1 }, { sourceShare: 0.5 })
  const taken = async (holder = scene.holder) => (await scene.tryClaim({ rules, holder }))?.turn.position
  // the turn that runs counts for its holder, and its source: one more of telegram is its share
  expect([await taken(), await taken(), await taken(), await taken()]).toEqual([4, 6, 9, undefined])
  expect(await taken(holderNamed('holder-2'))).toBe(5)
  scene.nowMs += 1_000
  expect(await taken()).toBe(8)
})

it('a start leaves few rows of sources that have nothing left', async () => {
  await using scratch = new Scratch()
  const scene = await scratch.scene()
  const rows = () => linesOf(scratch.database).length
  for (let number = 0; number < 30; number += 1) {
    const { turn } = await scene.admit(parseSessionKey(`chat:${number}`), 'hello', { source: `s${number}` })
    await scene.store.cancelTurn({ turnId: turn.id, reason: 'unwanted', atMs: scene.nowMs })
  }
  expect(rows()).toBe(30)
  for (let number = 0; number < 5; number += 1) await scene.say(alice, 'hello', 'hi')
  expect(rows()).toBeLessThan(3)
})
