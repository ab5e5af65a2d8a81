import { hashesTo } from '../../relational/rows/bodies.ts'
import type { Connection } from '../database/connection.ts'

interface BlobRow {
  id: number
  hash: Uint8Array
  body: Uint8Array
}

/** Unpacks every blob and compares it with the name that it is found under. */
export function checkBlobs(db: Connection, problemsMax: number): string[] {
  const problems: string[] = []
  for (const { id, hash, body } of db.each<BlobRow>('SELECT id, hash, body FROM blob')) {
    if (!hashesTo(body, hash)) problems.push(`blob ${id} is not what its hash says`)
    if (problems.length >= problemsMax) break
  }
  return problems
}
