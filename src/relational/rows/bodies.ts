import { createHash } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { first, insert, type Steps } from '../steps.ts'

/** Larger bodies would make every page of their table mostly theirs. */
export const bodyInlineMaxBytes = 32 * 1024

/** Instructions and params repeat with every turn of a client; over this, storing them once is smaller. */
export const requestInlineMaxBytes = 1024

/** Where a body is: in its row, or in `blob`. */
export interface BodyPlace {
  text: string | null
  blob: number | null
  bytes: number
}

export const blobSql = {
  find: 'SELECT id FROM blob WHERE hash = ?',
  add: 'INSERT INTO blob (hash, bytes, stored, body) VALUES (?, ?, ?, ?) RETURNING id',
}

/** Stores a body over the limit once for each content. */
export function* placeBody(json: string, inlineMaxBytes: number): Steps<BodyPlace> {
  const bytes = Buffer.byteLength(json)
  if (bytes <= inlineMaxBytes) return { text: json, blob: null, bytes }
  const hash = createHash('sha256').update(json).digest()
  const found = yield* first<{ id: number }>(blobSql.find, hash)
  if (found !== undefined) return { text: null, blob: found.id, bytes }
  const packed = zstdCompressSync(json)
  return { text: null, blob: yield* insert(blobSql.add, hash, bytes, packed.length, packed), bytes }
}

/** The JSON of a row with the columns `text` and `packed` (the blob's body, or null). */
export function bodyText(text: string | null, packed: Uint8Array | null): string {
  if (text !== null) return text
  if (packed === null) throw new Error('a row has neither a body nor a blob')
  return unpackBody(packed)
}

export function unpackBody(packed: Uint8Array): string {
  return zstdDecompressSync(packed).toString('utf8')
}

/** Whether what is packed is what the SHA-256 that names it says. */
export function hashesTo(body: Uint8Array, hash: Uint8Array): boolean {
  try {
    return createHash('sha256').update(unpackBody(body)).digest().equals(hash)
  } catch (error) {
    if (/^Z(STD|_BUF)/.test(String((error as NodeJS.ErrnoException).code))) return false // Z_BUF_ERROR: it is cut off
    throw error
  }
}
