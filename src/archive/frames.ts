import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { createZstdDecompress } from 'node:zlib'
import { isSystemError } from '../host/files.ts'
import { HoldfastError } from '../model/errors.ts'
import type { Frame } from './bundle.ts'
import { damaged, openForReading } from './files.ts'

/** Whole lines given at once; one line alone may be longer. Unit: bytes. */
const partBytes = 512 * 1024

/**
 * The lines of one frame, some at a time, each part with whole lines. What came before the end is not checked yet: after the
 * last part the length and the SHA-256 were right. @throws HoldfastError ARCHIVE_DAMAGED, STORE_IO
 */
export async function* readFrame(path: string, frame: Frame): AsyncGenerator<string, void, undefined> {
  const handle = await openForReading(path)
  try {
    yield* linesOf(handle, path, frame)
  } catch (error) {
    if (isSystemError(error))
      throw new HoldfastError('STORE_IO', { because: `${path} (${error.code})` }, { cause: error })
    throw error
  } finally {
    await handle.close()
  }
}

/** The frame is what its manifest says. @throws HoldfastError ARCHIVE_DAMAGED, STORE_IO */
export async function verifyFrame(path: string, frame: Frame): Promise<void> {
  for await (const _ of readFrame(path, frame)) {
    // only the end tells
  }
}

async function* linesOf(handle: FileHandle, path: string, frame: Frame): AsyncGenerator<string, void, undefined> {
  const hash = createHash('sha256')
  let bytes = 0
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const data of unpacked(handle, path, frame)) {
    hash.update(data)
    bytes += data.length
    if (bytes > frame.bytes) throw damaged(path, `the frame at ${frame.offset} holds more than ${frame.bytes} bytes`)
    rest.push(data)
    restBytes += data.length
    if (restBytes < partBytes || !data.includes(0x0a)) continue
    const whole = Buffer.concat(rest)
    const end = whole.lastIndexOf(0x0a) + 1
    rest = [whole.subarray(end)]
    restBytes = whole.length - end
    yield whole.toString('utf8', 0, end)
  }
  if (bytes !== frame.bytes) throw damaged(path, `the frame at ${frame.offset} holds ${bytes} of ${frame.bytes} bytes`)
  if (hash.digest('hex') !== frame.sha256) throw damaged(path, `the frame at ${frame.offset} has another SHA-256`)
  if (restBytes > 0) yield Buffer.concat(rest).toString('utf8')
}

async function* unpacked(handle: FileHandle, path: string, frame: Frame): AsyncGenerator<Buffer, void, undefined> {
  const start = frame.offset
  if ((await handle.stat()).size < start + frame.length) throw damaged(path, 'it is shorter than its manifest says')
  const source = handle.createReadStream({ start, end: start + frame.length - 1, autoClose: false })
  const unpack = source.pipe(createZstdDecompress())
  source.once('error', (error) => unpack.destroy(error))
  try {
    yield* unpack
  } catch (error) {
    const isZstd = error instanceof Error && 'code' in error && /^(ZSTD|Z_|ERR_)/.test(String(error.code))
    throw isZstd ? damaged(path, `the frame at ${frame.offset} cannot be unpacked`, error) : error
  } finally {
    source.destroy()
    unpack.destroy()
  }
}

/** Read at once while frames are copied. Unit: bytes. */
const copyBytes = 1024 * 1024

/** The packed bytes of a frame, some at a time. */
export async function* packedOf(
  handle: FileHandle,
  path: string,
  frame: Frame,
): AsyncGenerator<Buffer, void, undefined> {
  for (let done = 0; done < frame.length; ) {
    const size = Math.min(copyBytes, frame.length - done)
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, frame.offset + done)
    if (bytesRead === 0) throw damaged(path, 'it is shorter than its manifest says')
    yield buffer.subarray(0, bytesRead)
    done += bytesRead
  }
}
