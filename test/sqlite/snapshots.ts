/**
 * Another program that reads the database.
 *
 *     node snapshots.ts <database> hold       one snapshot until it is killed
 *     node snapshots.ts <database> overlap    short ones of two connections, so that there is always one
 */
import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const [path, how] = process.argv.slice(2) as [string, 'hold' | 'overlap']
const heldMs = 10

function look(db: DatabaseSync): void {
  db.exec('BEGIN')
  db.prepare('SELECT count(*) FROM session').get()
}

const connections = [0, 1].map(() => new DatabaseSync(path, { readOnly: true, timeout: 1_000 }))
const [first, second] = connections as [DatabaseSync, DatabaseSync]
look(first)
writeSync(1, 'reading\n')
setInterval(() => {}, 1_000)
if (how === 'overlap') {
  let turn = 0
  setInterval(() => {
    const [next, last] = turn % 2 === 0 ? [second, first] : [first, second]
    look(next)
    last.exec('COMMIT')
    turn += 1
  }, heldMs)
}
