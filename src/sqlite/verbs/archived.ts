import type { NewArchivedTranscript } from '../../model/archives.ts'
import type { ArchivedMove } from '../../store/retention.ts'
import type { Connection } from '../file/connection.ts'
import { archivedSql, returnSql } from '../statements/archives.ts'
import { metaSql, unscrubbed } from '../statements/upkeep.ts'
import type { Work } from './work.ts'

/** Gives its id. */
export function addArchived(db: Connection, archived: NewArchivedTranscript): number {
  const { sessionKey, kind, transcript, whole, place, sweep, file, offset, length } = archived
  const { bytes, sha256, entries, firstAtMs, lastAtMs, takenAtMs, expiresAtMs } = archived
  return db.insert(
    archivedSql.add,
    ...[sessionKey, kind, transcript, Number(whole), place, sweep, file, offset, length],
    ...[bytes, sha256, entries, firstAtMs, lastAtMs, takenAtMs, expiresAtMs],
  )
}

export function enterArchived({ db }: Work, input: { items: NewArchivedTranscript[] }): void {
  for (const item of input.items) {
    const known = db.first(archivedSql.known, item.sessionKey, item.transcript, item.sweep)
    if (known === undefined) addArchived(db, item)
  }
}

export function moveArchived({ db }: Work, input: { moves: ArchivedMove[] }): void {
  for (const { id, place, sweep, file, offset, length, expiresAtMs } of input.moves) {
    db.run(archivedSql.move, id, place, sweep, file, offset, length, expiresAtMs)
  }
}

export function dropArchived({ db, returning }: Work, input: { ids: number[] }): void {
  db.run(metaSql.set, unscrubbed, 'true')
  for (const id of input.ids) {
    db.run(returnSql.dropStage, id) // what has come back of it in part goes with the next purge
    returning.delete(id)
    db.run(archivedSql.drop, id)
  }
}

export function noteClock({ db }: Work, input: { atMs: number }): void {
  db.run(metaSql.set, 'clock', JSON.stringify(input))
}
