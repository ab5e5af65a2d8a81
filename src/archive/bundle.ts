import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, createZstdCompress, type ZstdCompress, zstdCompress } from 'node:zlib'
import { createFile, removeFile, renameTo, sha256OfFile, syncNames, writing } from './files.ts'

/**
 * A bundle, `0001.jsonl.zst`: zstd frames, one after the other, each with a checksum of its own. A frame holds one transcript: lines of
 * JSON as `exportTranscripts` gives them. `zstd -d` reads the whole file; a frame alone is `tail -c +$((offset + 1)) | head -c
 * length | zstd -d`, with the offset and length that the manifest names.
 *
 * Written under a name with `.new` at its end, synced, renamed, and the directory synced, before the manifest names it. Never
 * changed afterwards: what is to go without the rest goes by a new bundle in its place (`copyFrames`).
 */
export interface Frame {
  /** In the file, in bytes. */
  offset: number
  length: number
  /** Of the text, in bytes, and its SHA-256. */
  bytes: number
  sha256: string
}

const params = { [constants.ZSTD_c_checksumFlag]: 1 }
const compressAtOnce = promisify(zstdCompress)

export const temporaryEnding = '.new'

/** Compresses on libuv's threads. Without `finish` nothing is left of it after disposal. */
export class BundleWriter implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #folder: string
  readonly #file: string
  #position = 0
  #finished = false

  private constructor(handle: FileHandle, folder: string, file: string) {
    this.#handle = handle
    this.#folder = folder
    this.#file = file
  }

  /** What an ended process has left under this name was never announced. */
  static async create(folder: string, file: string): Promise<BundleWriter> {
    const path = join(folder, file + temporaryEnding)
    await removeFile(path)
    return new BundleWriter(await createFile(path), folder, file)
  }

  /** Of all frames so far. */
  get bytes(): number {
    return this.#position
  }

  /** Frames are written one after the other: end or leave one before the next. */
  begin(): FrameWriter {
    const offset = this.#position
    const write = async (data: Uint8Array) => {
      await writing(this.#file, () => writeFully(this.#handle, data, this.#position))
      this.#position += data.length
    }
    const leave = () => {
      this.#position = offset
    }
    return new FrameWriter(offset, write, leave)
  }

  /** A frame of another bundle, as it is. */
  async copy(data: Uint8Array): Promise<number> {
    const offset = this.#position
    await writing(this.#file, () => writeFully(this.#handle, data, offset))
    this.#position += data.length
    return offset
  }

  /** The bundle is on disk, under its name. */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    await writing(this.#file, async () => {
      await this.#handle.truncate(this.#position)
      await this.#handle.sync()
    })
    const sha256 = await sha256OfFile(this.#handle)
    await renameTo(join(this.#folder, this.#file + temporaryEnding), join(this.#folder, this.#file))
    this.#finished = true
    await syncNames(this.#folder)
    return { bytes: this.#position, sha256 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
    if (!this.#finished) await removeFile(join(this.#folder, this.#file + temporaryEnding))
  }
}

async function writeFully(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, position + done)
    done += bytesWritten
  }
}

/** A text in parts becomes one frame; no more than a part is held. */
export class FrameWriter {
  readonly #offset: number
  readonly #write: (data: Uint8Array) => Promise<void>
  readonly #leave: () => void
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0
  #length = 0
  #first: Buffer | null = null
  #stream: ZstdCompress | null = null
  #packed: Buffer[] = []

  constructor(offset: number, write: (data: Uint8Array) => Promise<void>, leave: () => void) {
    this.#offset = offset
    this.#write = write
    this.#leave = leave
  }

  async add(text: string): Promise<void> {
    const data = Buffer.from(text)
    this.#hash.update(data)
    this.#bytes += data.length
    if (this.#first === null && this.#stream === null) {
      this.#first = data
      return
    }
    if (this.#stream === null) {
      this.#stream = createZstdCompress({ params }).on('data', (packed: Buffer) => this.#packed.push(packed))
      await this.#push(this.#first as Buffer)
      this.#first = null
    }
    await this.#push(data)
  }

  async end(): Promise<Frame> {
    const stream = this.#stream
    if (stream === null) {
      await this.#put(await compressAtOnce(this.#first ?? Buffer.alloc(0), { params }))
    } else {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      stream.once('end', resolve).once('error', reject)
      stream.end()
      await promise
      await this.#drain()
    }
    return { offset: this.#offset, length: this.#length, bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  /** As if it had never begun. */
  cancel(): void {
    this.#stream?.destroy()
    this.#leave()
  }

  async #push(data: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#stream?.write(data, (error) => (error ? reject(error) : resolve()))
    await promise
    await this.#drain()
  }

  async #drain(): Promise<void> {
    for (const packed of this.#packed.splice(0)) await this.#put(packed)
  }

  async #put(packed: Uint8Array): Promise<void> {
    await this.#write(packed)
    this.#length += packed.length
  }
}
