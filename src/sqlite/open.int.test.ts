import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Scratch } from '../../test/sqlite/scratch.ts'
import { untrustedName } from '../host/filesystem.ts'
import { alice, holderNamed, refused, wordsOf } from '../testing/contract/scene.ts'
import { isNewEnough } from './database/connection.ts'
import { holdsStore, openReadOnly, sqliteStore } from './open.ts'

const execute = promisify(execFile)
const openAt = (directory: string) =>
  sqliteStore(directory, { trustFilesystem: true })({ holder: holderNamed('holder-1'), telemetry, atMs: 1 })
const telemetry = { verb: () => {}, commit: () => {}, writable: () => {} }
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('a new data directory', () => {
  it('is for its owner only, and every file in it', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    expect(modeOf(scratch.data)).toBe('700')
    const files = readdirSync(scratch.data)
    expect(files).toEqual(
      expect.arrayContaining(['holdfast.sqlite', 'holdfast.sqlite-wal', 'owner.json', 'owner.lock']),
    )
    expect(files.map((name) => modeOf(join(scratch.data, name)))).toEqual(files.map(() => '600'))
  })

  it('may hold a configuration, logs and backups already', async () => {
    await using scratch = new Scratch()
    mkdirSync(join(scratch.data, 'logs'), { recursive: true })
    mkdirSync(join(scratch.data, 'backups'))
    writeFileSync(join(scratch.data, 'holdfast.json5'), '{}')
    await scratch.scene()
    expect(holdsStore(scratch.data)).toBe(true)
  })

  it('is closed to others also when it was open to them before', async () => {
    await using scratch = new Scratch()
    mkdirSync(scratch.data, { mode: 0o755 })
    await scratch.scene()
    expect(modeOf(scratch.data)).toBe('700')
  })

  it('leaves no log behind after a close', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    expect(readdirSync(scratch.data).sort()).toEqual(['holdfast.made', 'holdfast.sqlite', 'owner.lock'])
  })
})

describe('a database that is lost', () => {
  it.each([
    ['emptied', (path: string) => truncateSync(path)],
    ['removed', (path: string) => rmSync(path)],
  ])('is never taken for a new directory: %s', async (_, lose) => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    lose(join(scratch.data, 'holdfast.sqlite'))
    await refused('STORE_CORRUPT', openAt(scratch.data))
    await refused('STORE_CORRUPT', openReadOnly(scratch.data))
    await refused('STORE_CORRUPT', openAt(scratch.data))
  })

  it('is a new one when the process ended before its first write', async () => {
    await using scratch = new Scratch()
    mkdirSync(scratch.data)
    for (const name of ['holdfast.sqlite', 'owner.lock']) writeFileSync(join(scratch.data, name), '')
    await refused('STORE_MISSING', openReadOnly(scratch.data))
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
  })
})

it('opens in a program that was given on the command line', async () => {
  await using scratch = new Scratch()
  const program = `
    const { sqliteStore } = await import(${JSON.stringify(new URL('./open.ts', import.meta.url).href)})
    const telemetry = { verb() {}, commit() {}, writable() {} }
    const store = await sqliteStore(process.argv[1], { diskReserveBytes: 0 })({ holder: {}, telemetry, atMs: 1 })
    await store.close()
    console.log('opened')`
  const { stdout } = await execute(process.execPath, ['--input-type=module', '--eval', program, scratch.data])
  expect(stdout).toBe('opened\n')
})

describe('opening is refused', () => {
  it('where other files are, and leaves them alone', async () => {
    await using scratch = new Scratch()
    mkdirSync(scratch.data)
    writeFileSync(join(scratch.data, 'notes.txt'), 'mine')
    await refused('STORE_FOREIGN', scratch.scene())
    expect(readdirSync(scratch.data)).toEqual(['notes.txt'])
  })

  it.skipIf(process.platform !== 'linux')('at once where the file system lets no directory be made', async () => {
    const { facts } = await refused('STORE_PERMISSION', openAt('/proc/holdfast/data'))
    expect(facts).toMatchObject({ directory: '/proc/holdfast/data' })
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    const backup = scene.store.backup({ directory: '/proc/holdfast/copy', atMs: 1 })
    expect((await refused('BACKUP_FAILED', backup)).facts).toMatchObject({ directory: '/proc/holdfast/copy' })
  })

  it('where a file stands in place of the directory', async () => {
    await using scratch = new Scratch()
    writeFileSync(scratch.data, 'a file')
    await refused('STORE_FOREIGN', scratch.scene())
  })

  it('for the database of another program', async () => {
    await using scratch = new Scratch()
    mkdirSync(scratch.data)
    const other = new DatabaseSync(scratch.database)
    other.exec('CREATE TABLE theirs (a)')
    other.close()
    await refused('STORE_FOREIGN', scratch.scene())
    await refused('STORE_FOREIGN', openReadOnly(scratch.data))
  })

  it('for a file that is no database', async () => {
    await using scratch = new Scratch()
    mkdirSync(scratch.data)
    writeFileSync(scratch.database, 'something else entirely, and long enough to be looked at')
    await refused('STORE_FOREIGN', scratch.scene())
  })

  it('as damaged, when the same file was a store before', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.store.close()
    writeFileSync(scratch.database, Buffer.alloc(16_384, 'x'))
    await refused('STORE_CORRUPT', scratch.scene())
  })

  it('for data of a newer version, which stays as it is', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.store.close()
    const newer = new DatabaseSync(scratch.database)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    const { facts } = await refused('STORE_NEWER', scratch.scene())
    expect(facts).toMatchObject({ found: 99 })
    await refused('STORE_NEWER', openReadOnly(scratch.data))
  })

  it('for reading, where nothing is', async () => {
    await using scratch = new Scratch()
    await refused('STORE_MISSING', openReadOnly(scratch.data))
    expect(holdsStore(scratch.data)).toBe(false)
  })

  it('and can be tried again', async () => {
    await using scratch = new Scratch()
    mkdirSync(scratch.data)
    writeFileSync(scratch.database, 'something else entirely, and long enough to be looked at')
    await refused('STORE_FOREIGN', scratch.scene())
    writeFileSync(scratch.database, '')
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
  })
})

describe('what cannot be trusted', () => {
  it.each([
    ['3.51.2', false],
    ['3.51.3', true],
    ['3.52.0', true],
    ['4.0.0', true],
    ['3.50.9', false],
    ['3.51', false],
  ])('of SQLite %s: new enough is %s', (version, enough) => expect(isNewEnough(version)).toBe(enough))

  it.each([
    [0x6969, 'nfs'],
    [0xff534d42, 'cifs'],
    [0xff534d42 | 0, 'cifs'],
    [0x65735546, 'fuse'],
    [0xef53, null],
    [0x01021994, null],
  ])('of file system type %i is named %s', (type, name) => expect(untrustedName(type)).toBe(name))
})

describe('a reader beside the owner', () => {
  it('sees what was committed, changes nothing, and does not hold the owner up', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    const beside = await openReadOnly(scratch.data)
    await scene.say(alice, 'more', 'yes')
    const page = await beside.readEntries({ key: alice, order: 'oldest', limit: 10 })
    expect(wordsOf(page.entries)).toEqual(['hello', 'hi', 'more', 'yes'])
    await refused('STORE_READ_ONLY', beside.openSession({ key: alice, atMs: 1 }))
    await refused('STORE_READ_ONLY', beside.probe())
    expect((await beside.verify({ quick: false, atMs: 1 })).ok).toBe(true)
    expect((await beside.statistics()).writable).toBe(false)
    await beside.close()
    await scene.say(alice, 'again', 'still')
  })

  it('reads also when nobody owns the data', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    const alone = await openReadOnly(scratch.data)
    expect((await alone.listSessions({ limit: 5 })).items).toHaveLength(1)
    await alone.close()
    await scratch.scene()
  })
})
