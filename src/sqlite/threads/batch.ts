import { type HoldfastError, recordOf } from '../../model/errors.ts'
import type { Answer, Call } from '../../relational/threads/calls.ts'
import type { Work } from '../../relational/verbs/work.ts'
import type { WriteVerb } from '../../relational/write-verbs.ts'
import type { Connection } from '../database/connection.ts'
import { breaksTransaction, failureOf, isBusy, isSqliteError } from '../database/failures.ts'
import { perform } from '../database/perform.ts'

export type BatchResult =
  | { kind: 'committed'; answers: Answer[]; changed: boolean }
  /** Another connection writes; nothing has happened. */
  | { kind: 'busy' }
  /** Nothing of the batch is certain to be kept, nor, with STORE_IO, certain not to be. */
  | { kind: 'failed'; error: HoldfastError }

/** What verbs work with, and the connection on which their statements run. */
export interface SqliteWork extends Work {
  readonly db: Connection
}

const sql = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  save: 'SAVEPOINT verb',
  release: 'RELEASE verb',
  undo: 'ROLLBACK TO verb',
}

/**
 * Many verbs, one transaction, one fsync. A verb that refuses takes back only its own writes. Nearly all refuse before
 * they have written, so each gets a savepoint of its own only when one of them did not: savepoints copy pages.
 */
export function runBatch(work: SqliteWork, calls: readonly Call[], verbOf: (name: string) => WriteVerb): BatchResult {
  return tryBatch(work, calls, verbOf, false) ?? (tryBatch(work, calls, verbOf, true) as BatchResult)
}

/** Null: without savepoints, a verb had written before it refused. Nothing has happened then. */
function tryBatch(
  work: SqliteWork,
  calls: readonly Call[],
  verbOf: (name: string) => WriteVerb,
  saving: boolean,
): BatchResult | null {
  const { db } = work
  const queuedBefore = work.queue.total
  try {
    db.command(sql.begin)
  } catch (error) {
    if (isBusy(error)) return { kind: 'busy' }
    return { kind: 'failed', error: failureOf(error) }
  }
  try {
    const { changed } = db
    const answers: Answer[] = []
    for (const call of calls) {
      const answer = saving ? saveVerb(work, call, verbOf(call.verb)) : runVerb(work, call, verbOf(call.verb))
      if (answer === null) {
        work.queue.total = queuedBefore
        db.command(sql.rollback)
        return null
      }
      answers.push(answer)
    }
    db.command(sql.commit)
    return { kind: 'committed', answers, changed: db.changed !== changed }
  } catch (error) {
    work.queue.total = queuedBefore
    if (!isSqliteError(error)) throw error
    rollBack(db)
    return { kind: 'failed', error: failureOf(error) }
  }
}

/** Null when it refuses and has written. */
function runVerb(work: SqliteWork, { id, input }: Call, verb: WriteVerb): Answer | null {
  const { changed } = work.db
  try {
    return { id, ok: true, value: perform(work.db, verb(work, input)) }
  } catch (error) {
    if (breaksTransaction(error)) throw error
    return work.db.changed === changed ? { id, ok: false, error: recordOf(failureOf(error)) } : null
  }
}

function saveVerb(work: SqliteWork, { id, input }: Call, verb: WriteVerb): Answer {
  const { db } = work
  const queuedBefore = work.queue.total
  db.command(sql.save)
  try {
    const value = perform(db, verb(work, input))
    db.command(sql.release)
    return { id, ok: true, value }
  } catch (error) {
    if (breaksTransaction(error)) throw error
    work.queue.total = queuedBefore
    db.command(sql.undo)
    db.command(sql.release)
    return { id, ok: false, error: recordOf(failureOf(error)) }
  }
}

/** After some errors SQLite has rolled back already. */
function rollBack(db: Connection): void {
  if (!db.database.isTransaction) return
  try {
    db.command(sql.rollback)
  } catch (error) {
    if (!isSqliteError(error)) throw error // the connection is closed next, which rolls back as well
  }
}
