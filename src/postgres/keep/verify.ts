import { systemClock } from '../../host/clock.ts'
import { hashesTo } from '../../relational/rows/bodies.ts'
import { type Invariant, invariants, quickInvariants } from '../../relational/statements/invariants.ts'
import { all } from '../../relational/steps.ts'
import type { VerifyReport } from '../../store/upkeep.ts'
import type { Connection } from '../database/connection.ts'
import { perform } from '../database/perform.ts'

/** Problems named for each check; more of the same kind add nothing. */
const problemsMax = 20

/** Bodies that are compared at once. */
const blobsAtOnce = 50

/** Holdfast's invariants in one snapshot. Whether its pages are whole, the server knows (`data_checksums`, `amcheck`). */
export async function verify(db: Connection, input: { quick: boolean }): Promise<VerifyReport> {
  const startedMs = systemClock.steadyMs()
  await db.query('SET LOCAL statement_timeout = 0')
  const checks: VerifyReport['checks'] = []
  const add = (name: string, problems: string[]) => checks.push({ name, ok: problems.length === 0, problems })
  for (const invariant of input.quick ? quickInvariants : invariants)
    add(invariant.name, await violations(db, invariant))
  if (!input.quick) add('blobs hash to their names', await checkBlobs(db))
  const { rows } = await db.query(`
    SELECT (SELECT count(*) FROM session WHERE state <> 'removed') AS sessions,
      (SELECT count(*) FROM entry WHERE transcript NOT IN (SELECT transcript FROM withheld)) AS entries`)
  const counts = rows[0] as { sessions: number; entries: number }
  return { ok: checks.every(({ ok }) => ok), checks, ...counts, durationMs: systemClock.steadyMs() - startedMs }
}

async function violations(db: Connection, { sql }: Invariant): Promise<string[]> {
  const rows = await perform(db, all<{ problem: string }>(sql))
  return rows.slice(0, problemsMax).map(({ problem }) => problem)
}

interface BlobRow {
  id: number
  hash: Uint8Array
  body: Uint8Array
}

/** Unpacks every blob and compares it with the name that it is found under. */
async function checkBlobs(db: Connection): Promise<string[]> {
  const problems: string[] = []
  const sql = `SELECT id, hash, body FROM blob WHERE id > $1 ORDER BY id LIMIT ${blobsAtOnce}`
  for (let after = 0; problems.length < problemsMax; ) {
    const rows = (await db.query(sql, [after])).rows as BlobRow[]
    for (const { id, hash, body } of rows) {
      if (!hashesTo(body, hash)) problems.push(`blob ${id} is not what its hash says`)
    }
    if (rows.length < blobsAtOnce) break
    after = (rows.at(-1) as BlobRow).id
  }
  return problems
}
