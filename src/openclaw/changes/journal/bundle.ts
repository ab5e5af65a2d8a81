import { createHash, type Hash } from 'node:crypto'
import { finished } from 'node:stream/promises'
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  type ZstdCompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { HoldfastError } from '../../../model/errors.ts'
import type { OwnFile } from '../../files/own/own-file.ts'
import { requireRoom } from '../../files/own/space.ts'
import type { Frame } from './manifest.ts'

/** What is read through at once is compressed at once: no more than this. Unit: bytes. */
const atOnceBytes = 256 * 1024
/** The disk is asked for room again after so much. Unit: bytes. */
const roomEveryBytes = 8 * 1024 ** 2
const params = { [constants.ZSTD_c_checksumFlag]: 1 }

/** Writes frames one after the other at the end of a bundle. One that fails leaves nothing of itself. */
export class BundleWriter implements AsyncDisposable {
  readonly name: string
  readonly #file: OwnFile

  constructor(name: string, file: OwnFile) {
    this.name = name
    this.#file = file
  }

  get bytes(): number {
    return this.#file.bytes
  }

  /** @throws HoldfastError STORE_FULL below the reserve of the disk; what reading the content throws */
  async add(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Frame> {
    const offset = this.#file.bytes
    try {
      return await this.#frame(offset, content)
    } catch (error) {
      await this.#file.cutBack(offset)
      throw error
    }
  }

  /** The frame that was added last is not wanted. */
  async drop(frame: Frame): Promise<void> {
    await this.#file.cutBack(frame.offset)
  }

  async #frame(offset: number, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Frame> {
    const hash = createHash('sha256')
    let bytes = 0
    let first: Uint8Array | null = null
    let long: LongFrame | null = null
    const append = (packed: Uint8Array) => this.#append(packed, offset)
    await append(Buffer.alloc(0)) // asks for room
    for await (const part of content) {
      hash.update(part)
      bytes += part.length
      if (first === null && long === null && part.length <= atOnceBytes) {
        first = part
        continue
      }
      long ??= new LongFrame(append)
      if (first !== null) await long.push(first)
      first = null
      await long.push(part)
    }
    if (long === null) await append(zstdCompressSync(first ?? Buffer.alloc(0), { params }))
    else await long.end()
    return { file: this.name, offset, length: this.#file.bytes - offset, bytes, sha256: hash.digest('hex') }
  }

  async #append(packed: Uint8Array, from: number): Promise<void> {
    const since = this.#file.bytes - from
    if (since === 0 || Math.floor(since / roomEveryBytes) !== Math.floor((since + packed.length) / roomEveryBytes))
      requireRoom(this.#file.path, packed.length)
    await this.#file.append(packed)
  }

  /** What was added since is on disk and is read back: @throws HoldfastError ARCHIVE_DAMAGED */
  async verify(frames: readonly Frame[]): Promise<void> {
    await this.#file.sync()
    for (const frame of frames) {
      for await (const _ of readFrame(this.#file, frame)) {
        // only the end tells
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]()
  }
}

/** Compresses on libuv's threads, and holds no more than a part. */
class LongFrame {
  readonly #append: (packed: Uint8Array) => Promise<void>
  readonly #stream: ZstdCompress
  #packed: Buffer[] = []

  constructor(append: (packed: Uint8Array) => Promise<void>) {
    this.#append = append
    this.#stream = createZstdCompress({ params })
    this.#stream.on('data', (packed: Buffer) => this.#packed.push(packed))
  }

  async push(part: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#stream.write(part, (error) => (error ? reject(error) : resolve()))
    await promise
    await this.#drain()
  }

  async end(): Promise<void> {
    this.#stream.end()
    await finished(this.#stream)
    await this.#drain()
  }

  async #drain(): Promise<void> {
    for (const packed of this.#packed.splice(0)) await this.#append(packed)
  }
}

/** Anything that reads at a position. */
export interface Source {
  readonly path: string
  read(into: Uint8Array, position: number): Promise<number>
}

/**
 * The content of a frame in parts. After the last one its length and SHA-256 were right; before that nothing is proven.
 * @throws HoldfastError ARCHIVE_DAMAGED
 */
export async function* readFrame(source: Source, frame: Frame): AsyncGenerator<Uint8Array, void, undefined> {
  const hash: Hash = createHash('sha256')
  let bytes = 0
  for await (const part of unpacked(source, frame)) {
    bytes += part.length
    if (bytes > frame.bytes) throw damaged(source, frame, `holds more than ${frame.bytes} bytes`)
    hash.update(part)
    yield part
  }
  if (bytes !== frame.bytes) throw damaged(source, frame, `holds ${bytes} of ${frame.bytes} bytes`)
  if (hash.digest('hex') !== frame.sha256) throw damaged(source, frame, 'has another SHA-256')
}

async function* unpacked(source: Source, frame: Frame): AsyncGenerator<Uint8Array, void, undefined> {
  if (frame.bytes <= atOnceBytes && frame.length <= 2 * atOnceBytes) {
    yield await unpackedAtOnce(source, frame)
    return
  }
  const unpack = createZstdDecompress()
  const feeding = feed(source, frame, unpack)
  feeding.catch((error) => unpack.destroy(error))
  try {
    yield* unpack
    await feeding
  } catch (error) {
    throw failureOfUnpacking(error, source, frame)
  } finally {
    unpack.destroy()
  }
}

async function unpackedAtOnce(source: Source, frame: Frame): Promise<Uint8Array> {
  const packed = Buffer.allocUnsafe(frame.length)
  for (let done = 0; done < packed.length; ) {
    const count = await source.read(packed.subarray(done), frame.offset + done)
    if (count === 0) throw damaged(source, frame, 'ends before its manifest says')
    done += count
  }
  try {
    return zstdDecompressSync(packed, { maxOutputLength: frame.bytes + 1 })
  } catch (error) {
    throw failureOfUnpacking(error, source, frame)
  }
}

function failureOfUnpacking(error: unknown, source: Source, frame: Frame): unknown {
  const isZstd = error instanceof Error && 'code' in error && /^(ZSTD|Z_|ERR_)/.test(String(error.code))
  return isZstd ? damaged(source, frame, 'cannot be unpacked', error) : error
}

async function feed(source: Source, frame: Frame, into: NodeJS.WritableStream): Promise<void> {
  for (let done = 0; done < frame.length; ) {
    const packed = Buffer.allocUnsafeSlow(Math.min(atOnceBytes, frame.length - done))
    const count = await source.read(packed, frame.offset + done)
    if (count === 0) throw damaged(source, frame, 'ends before its manifest says')
    const isTaken = into.write(packed.subarray(0, count))
    done += count
    if (!isTaken) await new Promise((resolve) => into.once('drain', resolve).once('close', resolve))
  }
  into.end()
}

function damaged(source: Source, frame: Frame, because: string, cause?: unknown): HoldfastError {
  const where = `${source.path}: the frame at ${frame.offset} ${because}`
  return new HoldfastError('ARCHIVE_DAMAGED', { because: where }, { cause })
}
