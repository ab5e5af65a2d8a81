import { HoldfastError } from '../../model/errors.ts'
import { metaSql, unscrubbed } from '../../relational/statements/upkeep.ts'
import { run } from '../../relational/steps.ts'
import type { Connection } from '../database/connection.ts'
import { perform } from '../database/perform.ts'

/** What a server does by itself, or its operator with tools of its own. */

/** @throws HoldfastError BACKUP_ELSEWHERE, always */
export async function backup(): Promise<never> {
  throw new HoldfastError('BACKUP_ELSEWHERE')
}

/** Autovacuum gives room back. */
export async function giveBack(): Promise<{ freeBytes: number }> {
  return { freeBytes: 0 }
}

/** Deleted rows go with the next vacuum of their table, and from the log when it is recycled: both are the server's business. */
export async function scrub(db: Connection): Promise<void> {
  await perform(db, run(metaSql.drop, unscrubbed))
}
