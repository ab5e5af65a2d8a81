import { metaSql } from '../statements/upkeep.ts'
import type { Work } from './work.ts'

/** A real write: durable when it is answered. */
export function probe(work: Work, input: { atMs: number }): void {
  work.lookForRoom()
  work.db.run(metaSql.set, 'probe', JSON.stringify({ atMs: input.atMs }))
}

/** Remembered over restarts, for the status page. */
export function recordVerify(work: Work, input: { atMs: number; ok: boolean }): void {
  work.db.run(metaSql.set, 'lastVerify', JSON.stringify(input))
}
