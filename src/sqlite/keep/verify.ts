import { systemClock } from '../../host/clock.ts'
import { type Invariant, invariants, quickInvariants } from '../../relational/statements/invariants.ts'
import type { VerifyReport } from '../../store/upkeep.ts'
import type { Connection } from '../database/connection.ts'
import { isSqliteError } from '../database/failures.ts'
import { checkBlobs } from './blobs.ts'

/** Problems named for each check; more of the same kind add nothing. */
const problemsMax = 20

type Check = VerifyReport['checks'][number]

/** The database's own integrity, then Holdfast's invariants in one snapshot. `quick` reads indexes, not every page. */
export function verify(db: Connection, input: { quick: boolean; atMs: number }): VerifyReport {
  const startedMs = systemClock.steadyMs()
  const checks = [checked('database', () => integrity(db, input.quick))]
  const chosen = input.quick ? quickInvariants : invariants
  db.run('SAVEPOINT verify') // one snapshot, also inside a transaction
  for (const invariant of chosen) checks.push(checked(invariant.name, () => violations(db, invariant)))
  if (!input.quick) checks.push(checked('blobs hash to their names', () => checkBlobs(db, problemsMax)))
  const counts = countOrZero(db)
  endSnapshot(db)
  return { ok: checks.every(({ ok }) => ok), checks, ...counts, durationMs: systemClock.steadyMs() - startedMs }
}

/** In a damaged database the end can fail too; its finding is made already. */
function endSnapshot(db: Connection): void {
  try {
    db.run('RELEASE verify')
  } catch (error) {
    if (!isSqliteError(error)) throw error
    if (db.database.isTransaction) db.run('ROLLBACK')
  }
}

/** A check that cannot be read to its end has failed: the damage is its finding. */
function checked(name: string, find: () => string[]): Check {
  try {
    const problems = find()
    return { name, ok: problems.length === 0, problems }
  } catch (error) {
    if (!isSqliteError(error)) throw error
    return { name, ok: false, problems: [error.errstr] }
  }
}

function integrity(db: Connection, quick: boolean): string[] {
  const sql = quick ? `PRAGMA quick_check(${problemsMax})` : `PRAGMA integrity_check(${problemsMax})`
  const lines = db.all<Record<string, string>>(sql).map((row) => Object.values(row)[0] ?? '')
  return lines.length === 1 && lines[0] === 'ok' ? [] : lines
}

function violations(db: Connection, { sql }: Invariant): string[] {
  const problems: string[] = []
  for (const { problem } of db.each<{ problem: string }>(sql)) {
    if (problems.push(problem) >= problemsMax) break
  }
  return problems
}

function countOrZero(db: Connection): { sessions: number; entries: number } {
  try {
    const sql = `
      SELECT (SELECT count(*) FROM session WHERE state <> 'removed') AS sessions,
        (SELECT count(*) FROM entry WHERE transcript NOT IN (SELECT transcript FROM withheld)) AS entries`
    return db.first<{ sessions: number; entries: number }>(sql) ?? { sessions: 0, entries: 0 }
  } catch (error) {
    if (!isSqliteError(error)) throw error
    return { sessions: 0, entries: 0 }
  }
}
