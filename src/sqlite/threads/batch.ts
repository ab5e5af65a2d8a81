import { type HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { Connection } from '../file/connection.ts'
import { failureOf, isBusy, isSqliteError } from '../file/failures.ts'
import type { Work } from '../verbs/work.ts'
import type { Answer, Call } from './calls.ts'
import type { WriteVerb } from './write-verbs.ts'

export type BatchResult =
  | { kind: 'committed'; answers: Answer[]; changed: boolean }
  /** Another connection writes; nothing has happened. */
  | { kind: 'busy' }
  /** Nothing of the batch is certain to be kept, nor, with STORE_IO, certain not to be. */
  | { kind: 'failed'; error: HoldfastError }

const sql = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  save: 'SAVEPOINT verb',
  release: 'RELEASE verb',
  undo: 'ROLLBACK TO verb',
  changes: 'SELECT total_changes() AS count',
}

/** Many verbs, one transaction, one fsync. A verb that refuses takes back only its own writes. */
export function runBatch(work: Work, calls: readonly Call[], verbOf: (name: string) => WriteVerb): BatchResult {
  const { db } = work
  const queuedBefore = work.queue.total
  try {
    db.run(sql.begin)
  } catch (error) {
    if (isBusy(error)) return { kind: 'busy' }
    return { kind: 'failed', error: failureOf(error) }
  }
  try {
    const before = changesOf(db)
    const answers = calls.map((call) => runVerb(work, call, verbOf(call.verb)))
    const changed = changesOf(db) !== before
    db.run(sql.commit)
    return { kind: 'committed', answers, changed }
  } catch (error) {
    work.queue.total = queuedBefore
    if (!isSqliteError(error)) throw error
    rollBack(db)
    return { kind: 'failed', error: failureOf(error) }
  }
}

function runVerb(work: Work, { id, input }: Call, verb: WriteVerb): Answer {
  const { db } = work
  const queuedBefore = work.queue.total
  db.run(sql.save)
  try {
    const value = verb(work, input)
    db.run(sql.release)
    return { id, ok: true, value }
  } catch (error) {
    const refused = isHoldfastError(error) || !breaksBatch(error)
    if (!refused) throw error
    work.queue.total = queuedBefore
    db.run(sql.undo)
    db.run(sql.release)
    return { id, ok: false, error: recordOf(failureOf(error)) }
  }
}

/** The disk failed, so the whole transaction is void; a violated constraint is the verb's own. */
function breaksBatch(error: unknown): boolean {
  return isSqliteError(error) && failureOf(error).code !== 'INTERNAL'
}

function changesOf(db: Connection): number {
  return db.first<{ count: number }>(sql.changes)?.count ?? 0
}

/** After some errors SQLite has rolled back already. */
function rollBack(db: Connection): void {
  if (!db.database.isTransaction) return
  try {
    db.run(sql.rollback)
  } catch (error) {
    if (!isSqliteError(error)) throw error // the connection is closed next, which rolls back as well
  }
}
