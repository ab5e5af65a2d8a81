import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'

/** Opens a database as a gateway does (WAL), executes each line as SQL and answers `ok`; leaves cleanly at the end of its input. PATH */

const db = new DatabaseSync(process.argv[2] ?? '', { enableForeignKeyConstraints: false })
db.exec('PRAGMA journal_mode = WAL')
console.log('ok')
for await (const line of createInterface({ input: process.stdin })) {
  db.exec(line)
  console.log('ok')
}
db.close()
