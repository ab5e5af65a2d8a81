import { isSeveral, type Statement, type Steps } from '../../relational/steps.ts'
import { wordsOf } from '../statements/words.ts'
import type { Connection, Result } from './connection.ts'

/** Runs a verb to its end, each statement when it is asked for. What a statement throws, the verb may catch. */
export async function perform<T>(db: Connection, steps: Steps<T>): Promise<T> {
  let step = steps.next()
  while (!step.done) {
    let answer: unknown
    try {
      answer = isSeveral(step.value) ? await actTogether(db, step.value) : await act(db, step.value)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(answer)
  }
  return step.value
}

/** What is only written is sent, and the verb goes on. */
function act(db: Connection, statement: Statement): Promise<unknown> | undefined {
  const last = sendAllButLast(db, statement)
  if (last === undefined) return Promise.resolve(answerOf(statement, nothing))
  if (statement.kind !== 'write') return db.query(last, statement.values).then((result) => answerOf(statement, result))
  db.send(last, statement.values)
  return undefined
}

const nothing: Result = { rows: [], changed: 0, command: '' }

async function actTogether(db: Connection, statements: readonly Statement[]): Promise<unknown[]> {
  const answers = statements.map((statement) => act(db, statement))
  const settled = await Promise.allSettled(answers)
  for (const each of settled) if (each.status === 'rejected') throw each.reason
  return settled.map((each) => (each as PromiseFulfilledResult<unknown>).value)
}

/** Some statements are several here, of which the last gives the answer; or none. */
function sendAllButLast(db: Connection, { sql, values }: Statement) {
  const texts = wordsOf(sql)
  for (const text of texts.slice(0, -1)) db.send(text, values)
  return texts.at(-1)
}

function answerOf({ kind }: Statement, { rows, changed }: Result): unknown {
  switch (kind) {
    case 'all':
      return rows
    case 'run':
      return changed
    case 'insert':
      return (rows[0] as { id: number }).id
    default:
      return undefined
  }
}
