import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import type { ColdArchive, TranscriptArchive } from '../../database/sessions.ts'
import { unreadable } from '../../files/failure.ts'
import { isFields } from '../rows/entry.ts'

/** A gateway packs no more at once. */
const unpackedBytesMax = 64 * 1024 ** 2

type Archive = Pick<TranscriptArchive, 'name' | 'sha256' | 'encoding'>

/** Lines of a transcript that was taken out at a reset or a deletion. @throws HoldfastError HOME_UNREADABLE */
export async function archivedLines(packed: Uint8Array, archive: Archive): Promise<Buffer[]> {
  return splitLines(await unpack(packed, archive))
}

/** Rows of a transcript that is in cold storage, as JSON. @throws HoldfastError HOME_UNREADABLE */
export async function coldLines(packed: Uint8Array, archive: ColdArchive, sessionId: string): Promise<Buffer[]> {
  const { name, sha256 } = archive
  const [header, ...records] = splitLines(await unpack(packed, { name, sha256, encoding: 'zstd' })).map(
    (line) => recordOf(line) ?? fail(archive, 'it has a line that is no record'),
  )
  if (header?.kind !== 'header' || header.version !== 1)
    fail(archive, 'it does not begin as one of those that are known')
  if (header.sessionId !== sessionId) fail(archive, 'it is that of another session')
  const lines = records.flatMap(({ kind, row }) => {
    if (kind !== 'event') return []
    const json = isFields(row) ? row.event_json : undefined
    return [typeof json === 'string' ? Buffer.from(json) : fail(archive, 'it has a row without JSON')]
  })
  return lines.length === archive.rows ? lines : fail(archive, `it has ${lines.length} rows and not ${archive.rows}`)
}

async function unpack(packed: Uint8Array, archive: Archive): Promise<Buffer> {
  if (createHash('sha256').update(packed).digest('hex') !== archive.sha256) fail(archive, 'it is damaged')
  if (archive.encoding === 'identity') return Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  try {
    return await promisify(zstdDecompress)(packed, { maxOutputLength: unpackedBytesMax })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') return fail(archive, `it unpacks to more than ${unpackedBytesMax} bytes`)
    return fail(archive, `it does not unpack (${code})`)
  }
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from)
    lines.push(bytes.subarray(from, end === -1 ? bytes.length : end))
    from = end === -1 ? bytes.length : end + 1
  }
  return lines
}

function recordOf(line: Buffer): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(line.toString())
    return isFields(parsed) ? parsed : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function fail({ name }: Pick<Archive, 'name'>, because: string): never {
  throw unreadable(name, because)
}
