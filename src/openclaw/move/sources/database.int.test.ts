import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tamper, unpackCold } from '../../../../test/openclaw/databases.ts'
import { entriesOf, importInto, openStore, problemsIn, shownIn, wordsOf } from '../../../../test/openclaw/moving.ts'
import { Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'
import { parseSessionKey, type SessionKey } from '../../../model/keys.ts'
import type { Store } from '../../../store/port.ts'

let ground: Ground
let store: Store & AsyncDisposable
beforeEach(async () => {
  ground = new Ground()
  store = await openStore(join(ground.root, 'data'))
})
afterEach(async () => {
  await store.close()
  ground[Symbol.dispose]()
})

const databaseOf = (dir: string, agent: string) => join(dir, 'agents', agent, 'agent/openclaw-agent.sqlite')

describe('transcripts in cold storage', () => {
  const cold = (dir: string) => join(dir, 'agents', 'work', 'sessions', 'cold')
  const packed = (dir: string, key: string) => {
    const db = new DatabaseSync(databaseOf(dir, 'work'), { readOnly: true })
    const name = db
      .prepare(
        `SELECT archive_name AS name FROM session_transcript_cold_archives JOIN session_nodes ON current_session_id = session_id
         WHERE session_key = ?`,
      )
      .get(key)?.name
    db.close()
    return join(cold(dir), String(name))
  }
  const main = parseSessionKey('agent:work:main')

  it('come as those do that are not', async () => {
    const dir = unpackCold(ground.root)
    const report = await importInto(store, dir)
    expect(report.totals).toMatchObject({ imported: 4, left: 0, unreadable: 0, linesLeftOut: 0 })
    expect(report.sessions.filter(({ partial }) => partial)).toEqual([])
    expect(await problemsIn(store)).toEqual([])
    await using other = await openStore(join(ground.root, 'other'))
    const { dir: plain } = unpackFixture('2026.9.6', ground.root, { moved: false })
    await importInto(other, plain)
    for (const as of report.sessions.map((session) => parseSessionKey(session.as))) {
      const said = await saidIn(store, as)
      expect(said.length).toBeGreaterThan(4)
      expect(said).toEqual(await saidIn(other, as))
      expect(await shownIn(store, as)).toEqual(await shownIn(other, as))
    }
    // a gateway brings them back when somebody writes
    expect((await importInto(store, plain)).totals).toMatchObject({ imported: 15, present: 4 })
  })

  it('come out of the database where the gateway has not written their files yet', async () => {
    const dir = unpackCold(ground.root)
    const db = new DatabaseSync(databaseOf(dir, 'work'))
    const put = db.prepare(
      "UPDATE session_transcript_cold_archives SET storage = 'sqlite', archive_blob = ? WHERE archive_name = ?",
    )
    for (const name of readdirSync(cold(dir))) put.run(readFileSync(join(cold(dir), name)), name)
    db.close()
    rmSync(cold(dir), { recursive: true })
    expect((await importInto(store, dir)).totals).toMatchObject({ imported: 4 })
    expect((await shownIn(store, main)).length).toBeGreaterThan(4)
  })

  it.each<[string, (path: string) => void, string]>([
    ['is gone', (path) => renameSync(path, `${path}.elsewhere`), 'it is not there'],
    ['is damaged', (path) => writeFileSync(path, 'x'.repeat(998)), 'it is damaged'],
    ['is a directory', asDirectory, 'no file'],
  ])('keep the conversation back whose file %s, and no other', async (_, hurt, because) => {
    const dir = unpackCold(ground.root)
    hurt(packed(dir, main))
    const { sessions, totals } = await importInto(store, dir)
    expect(totals).toMatchObject({ imported: 3, left: 1 })
    expect(sessions.find(({ as }) => as === main)).toMatchObject({
      state: 'left',
      because: expect.stringContaining(because),
    })
    expect(await store.readSession(main)).toBeNull()
  })

  it.each<[string, (records: string[]) => string[] | string, string]>([
    ['a row less', (records) => records.toSpliced(3, 1), 'rows and not'],
    ['another session', (records) => records.with(0, records[0]?.replace(/-....-/, '-0000-') ?? ''), 'another session'],
    ['another version', (records) => records.with(0, '{"kind":"header","version":2}'), 'does not begin as'],
    ['a line that is none', (records) => [...records, 'x'], 'no record'],
    ['a row without JSON', (records) => records.with(2, '{"kind":"event","row":{"seq":1}}'), 'without JSON'],
    ['more than a gateway packs', () => ' '.repeat(65 * 1024 ** 2), 'unpacks to more'],
  ])('are not taken with %s', async (_, change, because) => {
    const dir = unpackCold(ground.root)
    const path = packed(dir, main)
    const changed = change(zstdDecompressSync(readFileSync(path)).toString().trimEnd().split('\n'))
    const bytes = zstdCompressSync(Buffer.from(typeof changed === 'string' ? changed : `${changed.join('\n')}\n`))
    const hash = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(path, bytes)
    const old = path.split('/').at(-1)
    tamper(
      databaseOf(dir, 'work'),
      `UPDATE session_transcript_cold_archives SET archive_sha256 = '${hash}' WHERE archive_name = '${old}'`,
    )
    const { sessions } = await importInto(store, dir)
    expect(sessions.find(({ as }) => as === main)).toMatchObject({ because: expect.stringContaining(because) })
  })
})

describe('transcripts that the gateway has taken out', () => {
  const key = parseSessionKey('agent:main:slack:channel:c0deleted')

  it('are told where their user has deleted them, and come when asked for', async () => {
    const { dir } = unpackFixture('2026.9.6', ground.root)
    const { leftOut } = await importInto(store, dir)
    expect(leftOut).toEqual([
      { what: 'deleted', name: expect.any(String), because: expect.stringContaining('--deleted') },
    ])
    const { sessions, totals } = await importInto(store, dir, { deleted: true })
    expect(totals).toMatchObject({ imported: 1, present: 19 })
    expect(sessions.find(({ as }) => as === key)).toMatchObject({ state: 'imported', transcripts: [{ number: 1 }] })
    expect(await store.readSession(key)).toMatchObject({ state: 'archived' })
    expect((await importInto(store, dir, { deleted: true })).totals).toMatchObject({ present: 20 })
    expect(await problemsIn(store)).toEqual([])
  })

  it('come before what has been said since, where it was a reset', async () => {
    const { dir } = unpackFixture('2026.9.6', ground.root)
    const anna = 'agent:main:telegram:direct:40382952'
    tamper(databaseOf(dir, 'main'), `UPDATE session_transcript_archives SET reason = 'reset', session_key = '${anna}'`)
    const { sessions } = await importInto(store, dir)
    const as = parseSessionKey(anna)
    expect(sessions.find((each) => each.as === as)?.transcripts[0]?.source).toBe('e60321d6-709c-4c4a-b4b8-122a4d62ad10')
    expect(wordsOf(await entriesOf(store, as, 1))).not.toEqual([])
    expect((await shownIn(store, as)).length).toBeGreaterThan(10)
  })

  it('are not taken where they are damaged', async () => {
    const { dir } = unpackFixture('2026.9.6', ground.root)
    tamper(databaseOf(dir, 'main'), "UPDATE session_transcript_archives SET archive_blob = x'28b52ffd'")
    const { sessions } = await importInto(store, dir, { deleted: true })
    expect(sessions.filter(({ state }) => state === 'left')).toMatchObject([{ as: key }])
  })
})

describe('an agent', () => {
  it.each([18, 20, 21, 22, 24])('with a database of schema %i is left, and the others come', async (version) => {
    const { dir } = unpackFixture('2026.9.6', ground.root)
    tamper(
      databaseOf(dir, 'main'),
      `PRAGMA user_version = ${version}`,
      `UPDATE schema_meta SET schema_version = ${version}`,
    )
    const { leftOut, totals } = await importInto(store, dir)
    expect(leftOut).toEqual([
      { what: 'agent', name: 'main', because: expect.stringContaining(`schema ${version}, written by 2026.9.6`) },
    ])
    expect(totals).toMatchObject({ imported: 4 })
  })

  it('whose files lie beside its database comes from there, and that is told', async () => {
    const { dir } = unpackFixture('2026.9.6', ground.root)
    mkdirSync(join(dir, 'agents', 'work', 'sessions'))
    writeFileSync(join(dir, 'agents', 'work', 'sessions', 'sessions.json'), '{}')
    const { leftOut, totals } = await importInto(store, dir)
    expect(totals).toMatchObject({ imported: 19 })
    expect(leftOut).toContainEqual({ what: 'agent', name: 'work', because: expect.stringContaining('finish the move') })
  })

  it('with a row that is not what it says keeps that one conversation back', async () => {
    const { dir } = unpackFixture('2026.9.6', ground.root)
    tamper(
      databaseOf(dir, 'work'),
      `UPDATE transcript_events SET event_utf8_bytes = event_utf8_bytes + 1 WHERE rowid = (
        SELECT rowid FROM transcript_events WHERE event_zstd IS NOT NULL LIMIT 1)`,
    )
    const { sessions, totals } = await importInto(store, dir)
    expect(totals).toMatchObject({ imported: 18, left: 1 })
    expect(sessions.find(({ state }) => state === 'left')?.because).toMatch(/does not unpack to the \d+ bytes/)
  })
})

function asDirectory(path: string): void {
  rmSync(path)
  mkdirSync(path)
}

/** What was carried and what was said, without the opening that tells where it comes from. */
async function saidIn(from: Store, key: SessionKey): Promise<unknown[]> {
  const entries = await entriesOf(from, key, 1)
  return entries.slice(1).map(({ kind, body }) => ({ kind, body }))
}
