import { createHash } from 'node:crypto'
import { unpackBody } from '../../relational/rows/bodies.ts'
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

function hashesTo(body: Uint8Array, hash: Uint8Array): boolean {
  try {
    return createHash('sha256').update(unpackBody(body)).digest().equals(hash)
  } catch (error) {
    if (/^Z(STD|_BUF)/.test(String((error as NodeJS.ErrnoException).code))) return false // Z_BUF_ERROR: it is cut off
    throw error
  }
}
