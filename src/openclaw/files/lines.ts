import { changed } from './failure.ts'
import type { OpenFile } from './open.ts'

/** Read at once. Unit: bytes. */
const chunkBytes = 256 * 1024

export interface Line {
  /** From 1. */
  number: number
  /** Where it starts in the file. */
  offset: number
  /** Its length without the line feed. */
  bytes: number
  /** Without the line feed; null for a longer line than asked for. A view: copy what is kept, or the chunk around it stays in memory. */
  data: Buffer | null
  /** A line feed stood at its end. Only the last line can lack it. */
  ended: boolean
}

/**
 * The lines that the file had when it was opened, split at 0x0A and nowhere else. Holds one line of at most `lineBytesMax` and one chunk.
 * What was appended since is left out. @throws HoldfastError HOME_CHANGED where it has become shorter, HOME_UNREADABLE
 */
export async function* readLines(
  file: OpenFile,
  { lineBytesMax }: { lineBytesMax: number },
): AsyncGenerator<Line, void, undefined> {
  let number = 1
  let offset = 0
  let bytes = 0
  let parts: Buffer[] = []
  const add = (part: Buffer) => {
    bytes += part.length
    if (bytes > lineBytesMax) parts = []
    else if (part.length > 0) parts.push(part)
  }
  const line = (ended: boolean): Line => {
    const [only = Buffer.alloc(0), ...more] = parts
    const data = bytes > lineBytesMax ? null : more.length === 0 ? only : Buffer.concat(parts)
    return { number, offset, bytes, data, ended }
  }
  for await (const chunk of readChunks(file)) {
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf(0x0a, from)
      add(chunk.subarray(from, end === -1 ? chunk.length : end))
      if (end === -1) break
      yield line(true)
      from = end + 1
      number += 1
      offset += bytes + 1
      bytes = 0
      parts = []
    }
  }
  if (bytes > 0) yield line(false)
}

/** The bytes that the file had when it was opened, each chunk in memory of its own. @throws HoldfastError HOME_CHANGED, HOME_UNREADABLE */
export async function* readChunks(file: OpenFile): AsyncGenerator<Buffer, void, undefined> {
  for (let position = 0; position < file.bytes; ) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, file.bytes - position))
    const count = await file.read(chunk, position)
    if (count === 0) throw changed(file.path, `it was ${file.bytes} bytes long and is ${position}`)
    yield count === chunk.length ? chunk : chunk.subarray(0, count)
    position += count
  }
}

/** The last bytes that it had when it was opened, at most so many. @throws HoldfastError HOME_CHANGED, HOME_UNREADABLE */
export async function readTail(file: OpenFile, bytesMax: number): Promise<Buffer> {
  const start = Math.max(0, file.bytes - bytesMax)
  const tail = Buffer.allocUnsafeSlow(file.bytes - start)
  for (let done = 0; done < tail.length; ) {
    const count = await file.read(tail.subarray(done), start + done)
    if (count === 0) throw changed(file.path, `it was ${file.bytes} bytes long and is ${start + done}`)
    done += count
  }
  return tail
}
