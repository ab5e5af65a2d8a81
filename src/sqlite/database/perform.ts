import { isSeveral, type Statement, type Steps } from '../../relational/steps.ts'
import type { Connection } from './connection.ts'

/** Runs a verb to its end, each statement when it is asked for. What a statement throws, the verb may catch. */
export function perform<T>(db: Connection, steps: Steps<T>): T {
  let step = steps.next()
  while (!step.done) {
    let answer: unknown
    try {
      answer = isSeveral(step.value) ? step.value.map((each) => act(db, each)) : act(db, step.value)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(answer)
  }
  return step.value
}

function act(db: Connection, { kind, sql, values }: Statement): unknown {
  switch (kind) {
    case 'all':
      return db.all(sql, ...values)
    case 'run':
    case 'write':
      return db.run(sql, ...values)
    case 'insert':
      return db.insert(sql, ...values)
    case 'command':
      return db.command(sql)
  }
}
