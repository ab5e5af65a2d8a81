import type { Connection } from '../database/connection.ts'

/** Pages given back to the disk at one time; each step is a short write transaction. */
export const vacuumPages = 128

export const freePagesOf = (db: Connection): number => Number(db.pragma('freelist_count'))
export const freeBytesOf = (db: Connection): number => freePagesOf(db) * Number(db.pragma('page_size'))

/** Gives how many pages went back to the disk. */
export function vacuumStep(db: Connection, pagesMax: number): number {
  const pages = Math.min(pagesMax, vacuumPages, freePagesOf(db))
  if (pages > 0) db.script(`PRAGMA incremental_vacuum(${pages})`)
  return pages
}
