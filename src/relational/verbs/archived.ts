import type { NewArchivedTranscript } from '../../model/archives.ts'
import type { ArchivedMove } from '../../store/retention.ts'
import { archivedSql, returnSql } from '../statements/archives.ts'
import { metaSql, unscrubbed } from '../statements/upkeep.ts'
import { first, insert, type Steps, write } from '../steps.ts'
import type { Work } from './work.ts'

/** Gives its id. */
export function* addArchived(archived: NewArchivedTranscript): Steps<number> {
  const { sessionKey, kind, transcript, whole, place, sweep, file, offset, length } = archived
  const { bytes, sha256, entries, firstAtMs, lastAtMs, takenAtMs, expiresAtMs } = archived
  return yield* insert(
    archivedSql.add,
    ...[sessionKey, kind, transcript, Number(whole), place, sweep, file, offset, length],
    ...[bytes, sha256, entries, firstAtMs, lastAtMs, takenAtMs, expiresAtMs],
  )
}

export function* enterArchived(_work: Work, input: { items: NewArchivedTranscript[] }): Steps<void> {
  for (const item of input.items) {
    const known = yield* first(archivedSql.known, item.sessionKey, item.transcript, item.sweep)
    if (known === undefined) yield* addArchived(item)
  }
}

export function* moveArchived(_work: Work, input: { moves: ArchivedMove[] }): Steps<void> {
  for (const { id, place, sweep, file, offset, length, expiresAtMs } of input.moves) {
    yield* write(archivedSql.move, id, place, sweep, file, offset, length, expiresAtMs)
  }
}

export function* dropArchived({ returning }: Work, input: { ids: number[] }): Steps<void> {
  yield* write(metaSql.set, unscrubbed, 'true')
  for (const id of input.ids) {
    yield* write(returnSql.dropStage, id) // what has come back of it in part goes with the next purge
    returning.delete(id)
    yield* write(archivedSql.drop, id)
  }
}

export function* noteClock(_work: Work, input: { atMs: number }): Steps<void> {
  yield* write(metaSql.set, 'clock', JSON.stringify(input))
}
