import { metaSql } from '../statements/upkeep.ts'
import { type Steps, write } from '../steps.ts'
import type { Work } from './work.ts'

/** A real write: durable when it is answered. */
export function* probe(work: Work, input: { atMs: number }): Steps<void> {
  work.lookForRoom()
  yield* write(metaSql.set, 'probe', JSON.stringify({ atMs: input.atMs }))
}

/** Remembered over restarts, for the status page. */
export function* recordVerify(_work: Work, input: { atMs: number; ok: boolean }): Steps<void> {
  yield* write(metaSql.set, 'lastVerify', JSON.stringify(input))
}
