import { basename } from 'node:path'
import type { JudgedLock } from './verdict.ts'

/** A gateway of 2026.5 or later has the lock of a turn for moments only, before and after it asks its model. Unit: ms. */
const momentMs = 5_000

/**
 * What the holder of a lock does, as far as the index tells: while a turn runs, its entry says `running`; a lock that is held for long
 * while the last turn has ended is held by a compaction (2026.5.18 with a summariser that never answers). null: it cannot be told.
 */
export function operationOf({ path, verdict, ageMs }: JudgedLock, status: string | null): string | null {
  if (verdict !== 'live') return null
  if (!basename(path).endsWith('.jsonl.lock')) return 'index'
  if (status === 'running') return 'turn'
  return status !== null && ageMs > momentMs ? 'compaction' : null
}
