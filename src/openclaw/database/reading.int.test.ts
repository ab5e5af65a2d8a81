import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  countRows,
  FakeGateway,
  Reading,
  readAsOther,
  readProgram,
  removeSettled,
  stateOf,
  unpackKilled,
  unpackSettled,
} from '../../../test/openclaw/databases.ts'
import { expectedOf, Ground } from '../../../test/openclaw/unpack.ts'
import { openDatabase } from './open.ts'

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

describe('a database that a gateway has left', () => {
  it('gives all that its users said, packed rows too, and nothing of it changes', () => {
    const expected = expectedOf('2026.9.6')
    for (const agent of ['main', 'work'] as const) {
      const path = unpackSettled(ground.root, agent)
      const before = stateOf(path)
      const found = reading.all(path, agent)
      expect(found.size).toBe(agent === 'main' ? 15 : 4)
      for (const [key, rows] of found) {
        const answered = (expected[key] ?? []).flat().filter(([, , wasAnswered]) => wasAnswered)
        const said = answered.map(([asked]) => asked)
        const messages = rows.map((row) => JSON.parse(row).message).filter((message) => message?.role === 'user')
        const texts = messages.map(({ content }) => content)
        for (const text of said) expect(texts).toContainEqual(expect.stringContaining(text))
      }
      reading.expectUnchanged(path, before)
    }
  })

  it('is read by a user who may not write there', () => {
    const path = unpackSettled(ground.root)
    expect(readAsOther(ground.root, path)).toEqual({ sessions: 15, rows: expect.any(Number) })
  })

  it('is read again when a gateway begins meanwhile', async () => {
    const path = unpackSettled(ground.root)
    const before = reading.all(path)
    await using gateway = await FakeGateway.start(path)
    for (const table of ['session_nodes', 'session_windows'])
      await gateway.do(`UPDATE ${table} SET session_key = 'agent:main:moved' WHERE session_key = 'agent:main:main'`)
    const found = reading.all(path)
    expect(found.get('agent:main:moved')).toEqual(before.get('agent:main:main'))
  })
})

describe('a database that a gateway works on', () => {
  it('is read as it is at that moment, and the gateway goes on', async () => {
    const path = unpackSettled(ground.root)
    await using gateway = await FakeGateway.start(path)
    for (let round = 0; round < 5; round += 1) {
      await gateway.do(
        `UPDATE session_nodes SET session_key = 'agent:main:round${round}' WHERE session_key GLOB 'agent:main:*main*' OR session_key GLOB '*round*'`,
      )
      expect([...reading.all(path).keys()]).toContain(`agent:main:round${round}`)
    }
    await gateway.do('PRAGMA wal_checkpoint(TRUNCATE)')
    expect(reading.all(path)).toMatchObject({ size: 15 })
  })
})

describe('a database whose gateway was killed', () => {
  it('is read with what only its log holds, and nothing of it changes', () => {
    const path = unpackKilled(ground.root)
    const before = stateOf(path)
    const found = reading.all(path)
    expect(countRows(found)).toBe(43)
    expect(found.get('agent:main:main')?.join()).toContain('ack 1')
    reading.expectUnchanged(path, before)
    const opened = openDatabase(path)
    expect(opened.way).toBe('beside')
    opened[Symbol.dispose]()
  })

  it('is read where a copy has left out the index of the log', () => {
    const path = unpackKilled(ground.root)
    rmSync(`${path}-shm`)
    const before = stateOf(path)
    expect(countRows(reading.all(path))).toBe(43)
    reading.expectUnchanged(path, before)
  })

  it('keeps a log without a whole transaction, which SQLite would delete', () => {
    const path = unpackSettled(ground.root)
    writeFileSync(`${path}-wal`, Buffer.alloc(8_192, 7))
    const before = stateOf(path)
    expect(reading.all(path).size).toBe(15)
    reading.expectUnchanged(path, before)
  })

  it('is read by a user who may not write there', () => {
    expect(readAsOther(ground.root, unpackKilled(ground.root))).toEqual({ sessions: 3, rows: 43 })
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
