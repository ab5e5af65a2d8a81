import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  countRows,
  Reading,
  removeSettled,
  runAsOther,
  tamper,
  unpackSettled,
} from '../../../test/openclaw/databases.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'
import type { HoldfastError } from '../../model/errors.ts'
import { type CollectOptions, collectDatabase, type DatabaseFacts } from './facts/collect.ts'
import { openDatabase } from './open.ts'
import { DatabaseThread } from './thread.ts'

let ground: Ground
let reading: Reading
beforeEach(() => {
  ground = new Ground()
  reading = new Reading()
})
afterEach(() => {
  reading.close()
  ground[Symbol.dispose]()
})
afterAll(removeSettled)

describe('a database that is not read', () => {
  const refusal = (act: () => unknown) => {
    try {
      return act()
    } catch (error) {
      const { code, message, facts } = error as HoldfastError
      return { code, message, damaged: facts.damaged }
    }
  }

  it.each([18, 20, 21, 22, 24])('is one of schema %i', (version) => {
    const path = unpackSettled(ground.root)
    tamper(path, `PRAGMA user_version = ${version}`, `UPDATE schema_meta SET schema_version = ${version}`)
    expect(refusal(() => reading.all(path))).toMatchObject({
      code: 'HOME_GENERATION',
      message: expect.stringContaining(`schema ${version}, written by 2026.9.6`),
    })
  })

  it.each([
    ['whose header and table disagree', 'PRAGMA user_version = 19', 'HOME_UNSAFE'],
    ['of another role', "UPDATE schema_meta SET role = 'global'", 'HOME_GENERATION'],
    ['of another agent', "UPDATE schema_meta SET agent_id = 'other'", 'HOME_UNSAFE'],
    ['that says nothing of itself', 'DROP TABLE schema_meta', 'HOME_GENERATION'],
    ['with an empty table about itself', 'DELETE FROM schema_meta', 'HOME_GENERATION'],
  ])('is one %s', (_, statement, code) => {
    const path = unpackSettled(ground.root)
    tamper(path, statement)
    expect(refusal(() => reading.all(path))).toMatchObject({ code })
  })

  it.each<[string, (path: string) => void, string, boolean | undefined]>([
    ['an empty file', (path) => truncateSync(path, 0), 'HOME_GENERATION', undefined],
    ['no database', (path) => writeFileSync(path, 'x'.repeat(100_000)), 'HOME_UNREADABLE', true],
    ['half a database', (path) => truncateSync(path, 300_000), 'HOME_UNREADABLE', true],
    [
      'a link',
      (path) => {
        renameSync(path, `${path}.real`)
        symlinkSync(`${path}.real`, path)
      },
      'HOME_UNSAFE',
      undefined,
    ],
    ['a directory', (path) => mkdirSync(path), 'HOME_UNSAFE', undefined],
    ['a pipe in place of its log', (path) => execFileSync('mkfifo', [`${path}-wal`]), 'HOME_UNSAFE', undefined],
    ['gone', (path) => rmSync(path), 'HOME_UNREADABLE', undefined],
    ['one with a journal', (path) => writeFileSync(`${path}-journal`, 'x'), 'HOME_UNREADABLE', undefined],
  ])('is %s', (name, damage, code, damaged) => {
    const path = unpackSettled(ground.root)
    if (name === 'a directory') rmSync(path)
    damage(path)
    expect(refusal(() => reading.all(path))).toMatchObject({ code, damaged })
  })

  it('is one that this user may not read', () => {
    const path = unpackSettled(ground.root)
    chmodSync(path, 0o000)
    expect(runAsOther(ground.root, path)).toMatchObject({
      code: 'HOME_UNREADABLE',
      message: expect.stringContaining('EACCES'),
    })
  })
})

describe('a row', () => {
  const rowsOfWork = (path: string) => countRows(reading.all(path, 'work'))
  const packed = 'WHERE rowid = (SELECT min(rowid) FROM transcript_events WHERE event_zstd IS NOT NULL)'

  it.each([
    ['longer than it says', `UPDATE transcript_events SET event_utf8_bytes = event_utf8_bytes - 1 ${packed}`],
    ['shorter than it says', `UPDATE transcript_events SET event_utf8_bytes = event_utf8_bytes + 1 ${packed}`],
    ['not packed at all', `UPDATE transcript_events SET event_zstd = zeroblob(100) ${packed}`],
    ['cut off', `UPDATE transcript_events SET event_zstd = substr(event_zstd, 1, 40) ${packed}`],
  ])('that is %s is an error with its name, and never an empty row', (_, statement) => {
    const path = unpackSettled(ground.root, 'work')
    expect(rowsOfWork(path)).toBe(84)
    tamper(path, statement)
    expect(() => rowsOfWork(path)).toThrow(/row \d+ of session [0-9a-f-]{36}: it does not unpack/)
  })

  it('that is longer than asked for is told and not read', () => {
    const path = unpackSettled(ground.root)
    tamper(
      path,
      `UPDATE transcript_events SET event_json = '{"x":"' || hex(zeroblob(3000000)) || '"}' WHERE seq = 3 AND session_id = (SELECT current_session_id FROM session_nodes ORDER BY session_key LIMIT 1)`,
    )
    const place = { path, agentId: 'main' }
    const { sessionId = '' } = reading.ask(place, 'readSessions', { after: '' }).items[0] ?? {}
    const { rows } = reading.ask(place, 'readRows', { sessionId, after: 2, rowBytesMax: 1024 ** 2 })
    expect(rows[0]).toMatchObject({ seq: 3, json: null, bytes: 6_000_008 })
  })
})

describe('credentials', () => {
  it('are refused by SQLite itself', () => {
    using opened = openDatabase(unpackSettled(ground.root))
    for (const table of ['auth_profile_store', 'auth_profile_state']) {
      expect(() => opened.db.prepare(`SELECT * FROM ${table}`)).toThrow(/prohibited/)
    }
    expect(() => opened.db.prepare('DELETE FROM session_nodes')).toThrow(/not authorized/)
  })

  it('are not needed: everything is read where their pages are damaged', async () => {
    const path = unpackSettled(ground.root)
    tamper(path, "INSERT INTO auth_profile_store VALUES ('canary', hex(zeroblob(50000)), 1)")
    damagePages(path, 'auth_profile_store')
    const options = { nowMs: Date.now(), cronRunMs: 1, sizes: true, check: true }
    const facts = await collect(path, options)
    expect(facts.problems).toEqual([])
    expect(facts.tables?.map(({ name }) => name)).not.toContain('auth_profile_store')
  })
})

describe('what a doctor is told', () => {
  const options = { nowMs: Date.parse('2026-11-23T00:00:00Z'), cronRunMs: 86_400_000, sizes: true, check: true }

  it('is measured', async () => {
    const path = unpackSettled(ground.root)
    tamper(path, "UPDATE session_nodes SET session_key = session_key || ':run:1' WHERE session_key GLOB '*:cron:c*'")
    const facts = await collect(path, options)
    expect(facts).toMatchObject({
      schema: 23,
      pageBytes: 4096,
      sessions: 15,
      windows: 18,
      rows: 324,
      logBytes: 0,
      problems: [],
    })
    expect(facts.entryFields[0]).toMatchObject({ field: 'skillsSnapshot', entries: 15 })
    expect(facts.largestRows[0]?.bytes).toBe(1684)
    expect(facts.tables?.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(facts.bytes)
    expect(facts.tables?.find(({ name }) => name === 'session_nodes')?.bytes).toBeGreaterThan(200_000)
    expect(facts.archives).toEqual({ count: 1, bytes: 998 })
    expect(facts.staleCronRuns).toEqual({ sessions: 1, rows: 0 })
  })

  it('names what SQLite finds damaged', async () => {
    const path = unpackSettled(ground.root)
    tamper(
      path,
      'PRAGMA writable_schema = 1',
      "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'conversations') WHERE name = 'idx_agent_session_windows_session_key'",
    )
    const facts = await collect(path, { ...options, sizes: false })
    expect(facts.problems?.length).toBeGreaterThan(0)
    expect(facts.tables).toBeNull()
  })
})

async function collect(path: string, options: CollectOptions): Promise<DatabaseFacts> {
  await using thread = new DatabaseThread()
  return await collectDatabase(thread, { path, agentId: 'main' }, options)
}

/** Makes every page of a table something that is no page. */
function damagePages(path: string, table: string): void {
  const db = new DatabaseSync(path)
  const pages = db.prepare('SELECT pageno FROM dbstat WHERE name = ?').all(table) as { pageno: number }[]
  db.close()
  expect(pages.length).toBeGreaterThan(20)
  const file = openSync(path, 'r+')
  for (const { pageno } of pages) writeSync(file, Buffer.alloc(4_096, 0xee), 0, 4_096, (pageno - 1) * 4_096)
  closeSync(file)
}
