import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
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
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  gatewayProgram,
  readProgram,
  removeSettled,
  stateOf,
  tamper,
  unpackKilled,
  unpackSettled,
} from '../../../test/openclaw/databases.ts'
import { expectedOf, Ground } from '../../../test/openclaw/unpack.ts'
import type { HoldfastError } from '../../model/errors.ts'
import { type CollectOptions, collectDatabase, type DatabaseFacts } from './facts/collect.ts'
import { openDatabase } from './open.ts'
import { Reader, type Reads } from './reader.ts'
import type { Place } from './schema.ts'
import { DatabaseThread } from './thread.ts'

let ground: Ground
let reader: Reader
beforeEach(() => {
  ground = new Ground()
  reader = new Reader()
})
afterEach(() => {
  reader.close()
  ground[Symbol.dispose]()
})
afterAll(removeSettled)

function ask<N extends keyof Reads>(place: Place, name: N, input: unknown): ReturnType<Reads[N]> {
  return reader.ask(place, name, input) as ReturnType<Reads[N]>
}

/** Every row of every transcript, by session key. */
function readAll(path: string, agentId = 'main'): Map<string, string[]> {
  const place = { path, agentId }
  const found = new Map<string, string[]>()
  for (const { key } of ask(place, 'readSessions', { after: '' }).items) {
    const windows = ask(place, 'readWindows', { key })
    found.set(
      key,
      windows.flatMap(({ sessionId, rows: count }) => {
        const { rows } = ask(place, 'readRows', { sessionId, after: -1, rowBytesMax: 1024 ** 2 })
        expect(rows.length).toBe(count)
        return rows.map(({ json }) => json ?? '')
      }),
    )
  }
  return found
}

describe('a database that a gateway has left', () => {
  it('gives all that its users said, packed rows too, and nothing of it changes', () => {
    const expected = expectedOf('2026.9.6')
    for (const agent of ['main', 'work'] as const) {
      const path = unpackSettled(ground.root, agent)
      const before = stateOf(path)
      const found = readAll(path, agent)
      expect(found.size).toBe(agent === 'main' ? 15 : 4)
      for (const [key, rows] of found) {
        const answered = (expected[key] ?? []).flat().filter(([, , wasAnswered]) => wasAnswered)
        const said = answered.map(([asked]) => asked)
        const messages = rows.map((row) => JSON.parse(row).message).filter((message) => message?.role === 'user')
        const texts = messages.map(({ content }) => content)
        for (const text of said) expect(texts).toContainEqual(expect.stringContaining(text))
      }
      expectUnchanged(path, before)
    }
  })

  it('is read by a user who may not write there', () => {
    const path = unpackSettled(ground.root)
    expect(readAsOther(path)).toEqual({ sessions: 15, rows: expect.any(Number) })
  })

  it('is read again when a gateway begins meanwhile', async () => {
    const path = unpackSettled(ground.root)
    const before = readAll(path)
    await using gateway = await Gateway.start(path)
    for (const table of ['session_nodes', 'session_windows'])
      await gateway.do(`UPDATE ${table} SET session_key = 'agent:main:moved' WHERE session_key = 'agent:main:main'`)
    const found = readAll(path)
    expect(found.get('agent:main:moved')).toEqual(before.get('agent:main:main'))
  })
})

describe('a database that a gateway works on', () => {
  it('is read as it is at that moment, and the gateway goes on', async () => {
    const path = unpackSettled(ground.root)
    await using gateway = await Gateway.start(path)
    for (let round = 0; round < 5; round += 1) {
      await gateway.do(
        `UPDATE session_nodes SET session_key = 'agent:main:round${round}' WHERE session_key GLOB 'agent:main:*main*' OR session_key GLOB '*round*'`,
      )
      expect([...readAll(path).keys()]).toContain(`agent:main:round${round}`)
    }
    await gateway.do('PRAGMA wal_checkpoint(TRUNCATE)')
    expect(readAll(path)).toMatchObject({ size: 15 })
  })
})

describe('a database whose gateway was killed', () => {
  it('is read with what only its log holds, and nothing of it changes', () => {
    const path = unpackKilled(ground.root)
    const before = stateOf(path)
    const found = readAll(path)
    expect(rowsOf(found)).toBe(43)
    expect(found.get('agent:main:main')?.join()).toContain('ack 1')
    expectUnchanged(path, before)
    const opened = openDatabase(path)
    expect(opened.way).toBe('beside')
    opened[Symbol.dispose]()
  })

  it('is read where a copy has left out the index of the log', () => {
    const path = unpackKilled(ground.root)
    rmSync(`${path}-shm`)
    const before = stateOf(path)
    expect(rowsOf(readAll(path))).toBe(43)
    expectUnchanged(path, before)
  })

  it('keeps a log without a whole transaction, which SQLite would delete', () => {
    const path = unpackSettled(ground.root)
    writeFileSync(`${path}-wal`, Buffer.alloc(8_192, 7))
    const before = stateOf(path)
    expect(readAll(path).size).toBe(15)
    expectUnchanged(path, before)
  })

  it('is read by a user who may not write there', () => {
    expect(readAsOther(unpackKilled(ground.root))).toEqual({ sessions: 3, rows: 43 })
  })

  it.each([
    ['as it was left', () => {}],
    ['without the index of its log', (path: string) => rmSync(`${path}-shm`)],
  ])('is not written to, by no system call: %s', (_, prepare) => {
    const path = unpackKilled(ground.root)
    prepare(path)
    const trace = join(ground.root, 'trace')
    const calls =
      'trace=openat,pwrite64,pwritev,ftruncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,link,linkat'
    execFileSync('strace', ['-f', '-qq', '-y', '-o', trace, '-e', calls, process.execPath, readProgram, path])
    const touched = execFileSync('grep', ['-F', 'openclaw-agent', trace], { encoding: 'utf8' }).trim().split('\n')
    // SQLite tries to bring the log in when it leaves, through a descriptor that is for reading
    const harmless = /openat\(.*= \d+|= -1 EBADF/
    expect(touched.filter((line) => !harmless.test(line))).toEqual([])
    expect(touched.length).toBeGreaterThan(1)
  })
})

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
    expect(refusal(() => readAll(path))).toMatchObject({
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
    expect(refusal(() => readAll(path))).toMatchObject({ code })
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
    expect(refusal(() => readAll(path))).toMatchObject({ code, damaged })
  })

  it('is one that this user may not read', () => {
    const path = unpackSettled(ground.root)
    chmodSync(path, 0o000)
    expect(runAsOther(path)).toMatchObject({ code: 'HOME_UNREADABLE', message: expect.stringContaining('EACCES') })
  })
})

describe('a row', () => {
  const rowsOfWork = (path: string) => rowsOf(readAll(path, 'work'))
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
    const { sessionId = '' } = ask(place, 'readSessions', { after: '' }).items[0] ?? {}
    const { rows } = ask(place, 'readRows', { sessionId, after: 2, rowBytesMax: 1024 ** 2 })
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

/** Also by the end of the connection. */
function expectUnchanged(path: string, before: string): void {
  reader.close()
  expect(stateOf(path)).toBe(before)
}

const rowsOf = (found: Map<string, string[]>) => [...found.values()].flat().length

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

/** Nobody on Linux; the directory is not writable for it, nor for others than its owner. */
const nobody = 65_534

function readAsOther(path: string): unknown {
  chmodSync(ground.root, 0o755)
  for (let folder = dirname(path); folder !== ground.root; folder = dirname(folder)) chmodSync(folder, 0o555)
  execFileSync('chmod', ['-R', 'a+r', dirname(path)])
  return runAsOther(path)
}

/** As root, as somebody else; a user of his own is refused by the modes alone. */
function runAsOther(path: string): unknown {
  chmodSync(ground.root, 0o755)
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (let folder = dirname(path); folder !== ground.root; folder = dirname(folder)) chownSync(folder, 1, 1)
  const who = isRoot ? { uid: nobody, gid: nobody } : {}
  return JSON.parse(execFileSync(process.execPath, [readProgram, path], { ...who, encoding: 'utf8' }))
}

/** Another process that has the database open, and writes. */
class Gateway implements AsyncDisposable {
  readonly #child
  readonly #answers

  constructor(path: string) {
    this.#child = spawn(process.execPath, [gatewayProgram, path])
    this.#child.stderr.pipe(process.stderr)
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  static async start(path: string): Promise<Gateway> {
    const gateway = new Gateway(path)
    await gateway.#answers.next()
    return gateway
  }

  async do(sql: string): Promise<void> {
    this.#child.stdin.write(`${sql}\n`)
    expect(await this.#answers.next()).toMatchObject({ value: 'ok' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    await ended
  }
}
