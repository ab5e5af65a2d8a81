import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { alice, bob, type Scene } from '../../testing/contract/scene.ts'
import { openForWriting } from '../database/connection.ts'
import { verify } from './verify.ts'

/** A store with everything in it: settled, running and waiting turns, a reset, a summary, a large body. */
async function furnish(scene: Scene): Promise<void> {
  await scene.say(alice, 'hello', 'hi '.repeat(20_000))
  await scene.say(alice, 'more '.repeat(20), 'yes')
  await scene.store.commitSummary({
    ...{ key: alice, transcript: 1, baseId: null, uptoSeq: 2, kind: 'model', text: 'they met', tokens: 3, atMs: 1 },
  })
  await scene.say(bob, 'hello', 'hi')
  await scene.store.resetSession({ key: bob, reason: 'new start', atMs: 2 })
  await scene.begin(bob, 'again')
  await scene.admit(bob, 'and again')
  await scene.admit(alice, 'waiting')
}

const damages: [string, string][] = [
  ['an entry that is gone', 'DELETE FROM entry WHERE seq = 2'],
  ['a head that is behind', `UPDATE session SET head = head - 1 WHERE key LIKE '%alice'`],
  ['two ready turns', `UPDATE turn SET ready = 1 WHERE status = 'queued'`],
  ['no ready turn', 'UPDATE turn SET ready = 0'],
  ['a ready turn that has ended', `UPDATE turn SET ready = 1 WHERE status = 'done'`],
  ['a running turn without its lease', 'DELETE FROM lease'],
  [
    'a lease of a turn that has ended',
    `UPDATE lease SET turn = (SELECT max(position) FROM turn WHERE status = 'done')`,
  ],
  ['a source that its lane does not know', 'DELETE FROM source'],
  ['a source whose first turn is not there', 'UPDATE source SET first_order = first_order - 1'],
  ['a source whose first turn is a later one', 'UPDATE source SET first_order = first_order + 1'],
  ['a source that was served in the future', 'UPDATE source SET since = 99'],
  ['a lease that counts for another source', `UPDATE lease SET source = 'x'`],
  ['a fence that fell', 'UPDATE session SET fence = 0'],
  ['a miscounted queue', `UPDATE session SET queued_turns = 7 WHERE key LIKE '%bob'`],
  ['a settled turn without an end', `UPDATE turn SET settled_ms = NULL WHERE status = 'done'`],
  ['a turn without its message', 'DELETE FROM inbound WHERE turn = 1'],
  ['a reply that is not its own', 'UPDATE entry SET turn = NULL WHERE seq = 2'],
  ['a reply of a failed turn', `UPDATE turn SET status = 'failed' WHERE position = 1`],
  ['a missing blob', 'DELETE FROM blob'],
  ['a blob of another content', 'UPDATE blob SET hash = zeroblob(32)'],
  ['a blob that is cut off', `UPDATE blob SET body = ''`],
  ['a blob that is no zstd', 'UPDATE blob SET body = zeroblob(40)'],
  ['a body that is no JSON', `UPDATE entry SET body = '{"role":' WHERE body IS NOT NULL`],
  ['a summary of what is not there', 'UPDATE summary SET upto_seq = 99'],
  ['a parent of another entry', `UPDATE entry SET parent_id = 'x' WHERE seq = 2`],
  ['a blob that nobody refers to', `UPDATE entry SET body = '{}', blob = NULL WHERE blob IS NOT NULL`],
  ['a transcript that is hidden for no reason', 'UPDATE transcript SET number = -id WHERE number = 1'],
  [
    'a transcript that is on its way out and seen',
    'INSERT INTO withheld SELECT id, session, 1, 1, NULL, 0, NULL, NULL, 0 FROM transcript LIMIT 1',
  ],
  ['a session that is removed and seen', `UPDATE session SET state = 'removed' WHERE key LIKE '%alice'`],
  ['a session that miscounts its entries', 'UPDATE session SET entries = entries + 1'],
  ['a session that miscounts its bytes', 'UPDATE session SET bytes = bytes + 1'],
  ['a table whose next number is unknown', `DELETE FROM counter WHERE name = 'entry'`],
  ['counts that do not add up', 'UPDATE entry SET shown_tokens = shown_tokens + 1 WHERE seq = 1'],
]

describe('verify', () => {
  it('finds nothing in a store that was only used, quick or not', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await furnish(scene)
    for (const quick of [true, false]) {
      const report = await scene.store.verify({ quick, atMs: 5 })
      expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
      expect([report.sessions, report.entries]).toEqual([2, 8])
    }
    expect((await scene.store.statistics()).lastVerify).toEqual({ atMs: 5, ok: true })
  })

  it('names each damage, and is clean again when it is undone', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await furnish(scene)
    await scene.store.close()
    const db = openForWriting(scratch.database, 'full')
    const found = damages.map(([name, sql]) => {
      db.script('BEGIN')
      db.script(sql)
      const { ok } = verify(db, { quick: false, atMs: 6 })
      db.script('ROLLBACK')
      return [name, ok]
    })
    expect(found).toEqual(damages.map(([name]) => [name, false]))
    expect(verify(db, { quick: false, atMs: 6 }).ok).toBe(true)
    db.close()
  })

  it('finds a page that was overwritten', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    for (let index = 0; index < 20; index += 1) await scene.say(alice, 'x'.repeat(5_000), 'y'.repeat(5_000))
    await scene.store.close()
    scramble(scratch.database)
    const damaged = await scratch.scene()
    expect((await damaged.store.verify({ quick: false, atMs: 6 })).ok).toBe(false)
    expect((await damaged.store.statistics()).lastVerify).toEqual({ atMs: 6, ok: false })
  })
})

/** Writes noise over the last pages, which hold the newest bodies, as a failing disk would. Nobody has the file open. */
function scramble(path: string): void {
  const noise = Buffer.alloc(2 * 8192, 0x5a)
  const descriptor = openSync(path, 'r+')
  writeSync(descriptor, noise, 0, noise.length, statSync(path).size - noise.length)
  closeSync(descriptor)
}
