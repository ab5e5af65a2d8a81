import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { Ground } from '../../../test/openclaw/unpack.ts'
import { generationOf, keepsFiles, laterVersion, schemaOfDatabase } from './generation.ts'

describe('the schema of a database', () => {
  const made = (path: string) => {
    const db = new DatabaseSync(path)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)')
    return db
  }

  it('is read from its file and from its log, as it was committed last', async () => {
    using ground = new Ground()
    const path = join(ground.root, 'a.sqlite')
    const db = made(path)
    db.exec('PRAGMA user_version = 3')
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    expect(await schemaOfDatabase(ground.root, path)).toBe(3)
    db.exec('PRAGMA user_version = 23')
    db.exec('INSERT INTO t VALUES (1)')
    expect(readFileSync(path).readUInt32BE(60)).toBe(3)
    // What the database says while a gateway has it open is in the log alone.
    const copy = join(ground.root, 'copy.sqlite')
    copyFileSync(path, copy)
    copyFileSync(`${path}-wal`, `${copy}-wal`)
    db.close()
    expect(await schemaOfDatabase(ground.root, copy)).toBe(23)
  })

  it('is not taken from frames that an earlier log has left', async () => {
    using ground = new Ground()
    const path = join(ground.root, 'a.sqlite')
    const db = made(path)
    for (let at = 0; at < 50; at += 1) db.exec(`INSERT INTO t VALUES (randomblob(5000)); PRAGMA user_version = 3`)
    db.exec('PRAGMA wal_checkpoint(RESTART)')
    db.exec('PRAGMA user_version = 23') // begins the log anew, over the first of the old frames
    const copy = join(ground.root, 'copy.sqlite')
    copyFileSync(path, copy)
    copyFileSync(`${path}-wal`, `${copy}-wal`)
    db.close()
    expect(statSync(`${copy}-wal`).size).toBeGreaterThan(200_000)
    expect(await schemaOfDatabase(ground.root, copy)).toBe(23)
  })

  it('is none where there is no database, or nothing in it', async () => {
    using ground = new Ground()
    const path = join(ground.root, 'a.sqlite')
    expect(await schemaOfDatabase(ground.root, path)).toBeNull()
    writeFileSync(path, '')
    expect(await schemaOfDatabase(ground.root, path)).toBeNull()
    writeFileSync(`${path}-wal`, 'short')
    expect(await schemaOfDatabase(ground.root, path)).toBeNull()
  })

  it('cannot be told of what is no database, and that is no "none"', async () => {
    using ground = new Ground()
    const path = join(ground.root, 'a.sqlite')
    writeFileSync(path, 'x'.repeat(5_000))
    await expect(schemaOfDatabase(ground.root, path)).rejects.toMatchObject({ code: 'HOME_UNREADABLE' })
    truncateSync(path, 50)
    await expect(schemaOfDatabase(ground.root, path)).rejects.toMatchObject({ code: 'HOME_UNREADABLE' })
    execFileSync('mkfifo', [join(ground.root, 'pipe')])
    const pipe = schemaOfDatabase(ground.root, join(ground.root, 'pipe'))
    await expect(pipe).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
  })
})

describe('an agent keeps its sessions in files', () => {
  it.each([
    [['sessions.json'], true],
    [['a.jsonl'], true],
    [[], false],
    [['a.jsonl.deleted.2026-05-01T10-11-12.345Z.zst', 'notes.txt', 'a.checkpoint.json'], false],
  ])('when %j stand there: %s', async (names, expected) => {
    using ground = new Ground()
    const sessionsDir = join(ground.root, 'sessions')
    mkdirSync(sessionsDir)
    for (const name of names) writeFileSync(join(sessionsDir, name), '')
    const agent = { id: 'main', sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }
    expect(await keepsFiles(agent)).toBe(expected)
    expect(
      await keepsFiles({
        ...agent,
        sessionsDir: join(ground.root, 'nowhere'),
        indexPath: join(ground.root, 'nowhere/x'),
      }),
    ).toBe(false)
  })
})

it.each([
  [[], 'empty'],
  [[[false, false]], 'empty'],
  [
    [
      [true, false],
      [false, false],
    ],
    'files',
  ],
  [[[false, true]], 'sqlite'],
  [
    [
      [true, false],
      [false, true],
    ],
    'mixed',
  ],
  [[[true, true]], 'mixed'],
] as [boolean[][], string][])('agents with %j are of the generation %s', (kept, expected) => {
  expect(generationOf(kept.map(([files = false, database = false]) => ({ files, database })))).toBe(expected)
})

it.each([
  ['2026.9.6', '2026.10.1', '2026.10.1'],
  ['2026.7.35', '2026.7.4', '2026.7.35'],
  [null, '2026.7.4', '2026.7.4'],
  ['2026.7.4', null, '2026.7.4'],
  [null, null, null],
])('of %s and %s the later is %s', (a, b, later) => expect(laterVersion(a, b)).toBe(later))
