import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { Ground, unpackFixture } from '../../../test/openclaw/unpack.ts'
import { releaseOf } from './release.ts'

/** A state database with these rows: name, release, time. */
function stateWith(ground: Ground, rows: [string, string | null, number][]): string {
  const path = join(ground.root, 'openclaw.sqlite')
  using db = new DatabaseSync(path)
  db.exec('CREATE TABLE schema_meta (meta_key TEXT PRIMARY KEY, app_version TEXT, updated_at INTEGER)')
  for (const row of rows) db.prepare('INSERT INTO schema_meta VALUES (?, ?, ?)').run(...row)
  return path
}

it('the release of a home is in its state database', () => {
  using ground = new Ground()
  const { dir } = unpackFixture('2026.9.6', ground.root)
  expect(releaseOf(join(dir, 'state/openclaw.sqlite'))).toBe('2026.9.6')
})

it('it is the one that was noted last, also where the main row has none', () => {
  using ground = new Ground()
  // 2026.7.1 names itself in `startup-migrations` alone; later ones write more than a name there
  expect(
    releaseOf(
      stateWith(ground, [
        ['primary', null, 3],
        ['startup-migrations', '2026.7.1\n3\nx', 2],
        ['old', '2026.6.1', 1],
      ]),
    ),
  ).toBe('2026.7.1')
})

it.each([['no release'], ['2026.7.1; DROP'], [null]])('%j is none', (release) => {
  using ground = new Ground()
  expect(releaseOf(stateWith(ground, [['primary', release, 1]]))).toBeNull()
})

it('what has no place for it names none', () => {
  using ground = new Ground()
  const path = join(ground.root, 'openclaw.sqlite')
  using db = new DatabaseSync(path)
  db.exec('CREATE TABLE t (x)')
  expect(releaseOf(path)).toBeNull()
})
