import type { DatabaseSync } from 'node:sqlite'
import type { Schema } from './schema.ts'

export interface PackedQuery {
  of: 'cold' | 'archive'
  name: string
}

/** A gateway packs no more than that; longer ones are told and not read. */
export const packedBytesMax = 64 * 1024 ** 2

const sqlOf = {
  cold: `SELECT archive_blob AS bytes FROM session_transcript_cold_archives
    WHERE archive_name = ? AND octet_length(archive_blob) <= ${packedBytesMax}`,
  archive: `SELECT archive_blob AS bytes FROM session_transcript_archives
    WHERE archive_name = ? AND octet_length(archive_blob) <= ${packedBytesMax}`,
}

/** A transcript that was packed, as it lies there; null where it is not there any more, or too long. */
export function readPacked(db: DatabaseSync, _: Schema, { of, name }: PackedQuery): Uint8Array | null {
  const row = db.prepare(sqlOf[of]).get(name) as { bytes: Uint8Array } | undefined
  return row?.bytes ?? null
}
