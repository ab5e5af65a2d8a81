import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { alice, wordsOf } from '../../testing/contract/scene.ts'
import { Connection, openForWriting } from './connection.ts'
import { migrate, migrations } from './migrate.ts'

const next = { to: 3, sql: 'ALTER TABLE session ADD COLUMN colour TEXT' }

describe('a migration', () => {
  it('keeps what was there, and a verified copy of how it was', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    const db = openForWriting(scratch.database, 'full')
    migrate(db, scratch.database, [...migrations, next], 1_750_000_000_000)
    expect(db.pragma('user_version')).toBe(3)
    expect(db.first('SELECT key, colour FROM session')).toMatchObject({ key: alice, colour: null })
    expect(db.all('SELECT seq FROM v_entry')).toHaveLength(2)
    db.close()
    const [copy] = readdirSync(join(scratch.data, 'backups'))
    expect(copy).toBe('before-v3-2025-06-15T15-06-40-000Z.sqlite')
    const path = join(scratch.data, 'backups', copy as string)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const before = new Connection(path, true)
    expect([before.pragma('user_version'), before.all('SELECT seq FROM v_entry').length]).toEqual([2, 2])
    before.close()
  })

  it('that fails changes nothing', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    const db = openForWriting(scratch.database, 'full')
    const broken = { to: 4, sql: 'ALTER TABLE nowhere ADD COLUMN colour TEXT' }
    expect(() => migrate(db, scratch.database, [...migrations, next, broken], 1)).toThrow()
    expect(db.pragma('user_version')).toBe(2)
    expect(() => db.first('SELECT colour FROM session')).toThrow()
    db.close()
    const again = await scratch.scene()
    expect(wordsOf(await again.entries(alice))).toEqual(['hello', 'hi'])
  })

  it('is not begun when the copy cannot be made', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await scene.store.close()
    const db = openForWriting(scratch.database, 'full')
    mkdirSync(join(scratch.data, 'backups', 'before-v3-1970-01-01T00-00-00-001Z.sqlite'), { recursive: true })
    const failed = (() => {
      try {
        return migrate(db, scratch.database, [...migrations, next], 1)
      } catch (error) {
        return error
      }
    })()
    expect(isHoldfastError(failed, 'BACKUP_FAILED')).toBe(true)
    expect(db.pragma('user_version')).toBe(2)
    db.close()
  })
})
