import type { Statement, Steps } from '../../relational/steps.ts'
import { wordsOf } from '../statements/words.ts'
import type { Connection } from './connection.ts'

/** Runs a verb to its end, each statement when it is asked for. What a statement throws, the verb may catch. */
export async function perform<T>(db: Connection, steps: Steps<T>): Promise<T> {
  let step = steps.next()
  while (!step.done) {
    let answer: unknown
    try {
      answer = await act(db, step.value)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(answer)
  }
  return step.value
}

/** Some statements are several here: the answer is that of the last. */
async function act(db: Connection, { kind, sql, values }: Statement): Promise<unknown> {
  const texts = wordsOf(sql)
  for (const text of texts.slice(0, -1)) await db.query(text, values)
  const last = texts.at(-1)
  if (last === undefined) return kind === 'run' ? 0 : []
  const { rows, changed } = await db.query(last, values)
  switch (kind) {
    case 'all':
      return rows
    case 'run':
      return changed
    case 'insert':
      return (rows[0] as { id: number }).id
    case 'command':
      return undefined
  }
}
