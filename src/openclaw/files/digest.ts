import { createHash } from 'node:crypto'
import { readChunks } from './lines.ts'
import type { OpenFile } from './open.ts'

/** SHA-256, in hex, of the bytes that it had when it was opened. @throws HoldfastError HOME_CHANGED, HOME_UNREADABLE */
export async function sha256Of(file: OpenFile): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of readChunks(file)) hash.update(chunk)
  return hash.digest('hex')
}
