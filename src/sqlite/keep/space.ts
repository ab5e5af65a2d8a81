import { systemClock } from '../../host/clock.ts'
import { HoldfastError } from '../../model/errors.ts'
import { metaSql, unscrubbed } from '../../relational/statements/upkeep.ts'
import { busyLimitMs, pause } from '../database/busy.ts'
import type { Connection } from '../database/connection.ts'
import { freeBytesOf, vacuumStep } from './vacuum.ts'

/** So that the writer has its turn between two steps. */
const pauseMs = 2

export function giveBack(db: Connection, input: { pagesMax: number }): { freeBytes: number } {
  for (let left = input.pagesMax; left > 0; ) {
    const given = vacuumStep(db, left)
    if (given === 0) break
    left -= given
    if (left > 0) pause(pauseMs)
  }
  return { freeBytes: freeBytesOf(db) }
}

/**
 * Writes the whole file anew. Rows that were deleted are overwritten at once, but pages keep in their unused middle what
 * was moved away from there when they were split or joined; of that only a new file is free. Writes wait meanwhile. What
 * was interrupted is still to be done with the next call.
 */
export function scrub(db: Connection): void {
  if (db.first(metaSql.value, unscrubbed) === undefined) return
  db.script('PRAGMA temp_store = FILE') // the new file may be larger than memory
  try {
    db.script('VACUUM')
  } finally {
    db.script('PRAGMA temp_store = MEMORY')
  }
  emptyLog(db)
  db.run(metaSql.drop, unscrubbed)
}

/** @throws HoldfastError STORE_IO when a reader does not leave */
function emptyLog(db: Connection): void {
  const endMs = systemClock.steadyMs() + busyLimitMs
  for (;;) {
    const { busy } = db.first<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)') as { busy: number }
    if (busy === 0) return
    if (systemClock.steadyMs() > endMs) {
      throw new HoldfastError(
        'STORE_IO',
        { because: 'a reader keeps the log from being emptied' },
        { retryAfterMs: 1_000 },
      )
    }
    pause(pauseMs)
  }
}
