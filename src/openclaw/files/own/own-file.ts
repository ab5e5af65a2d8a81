import { close, constants, fstatSync, fsync, ftruncate, openSync, read, write } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { giveTo } from '../create.ts'
import { unsafe, writing } from '../failure.ts'
import { standingOf } from '../identity.ts'
import type { Directory } from '../place.ts'

const writeAt = promisify(write)
const readAt = promisify(read)
const truncate = promisify(ftruncate)
const sync = promisify(fsync)
const shut = promisify(close)

/** A file of our own, a journal or a bundle, that grows at its end and is cut back where a write has failed. */
export class OwnFile implements AsyncDisposable {
  readonly path: string
  readonly #fd: number
  /** Where the next bytes go. */
  bytes: number

  private constructor(path: string, fd: number, bytes: number) {
    this.path = path
    this.#fd = fd
    this.bytes = bytes
  }

  /** Made when it is not there (0600). @throws HoldfastError HOME_UNSAFE for anything but a file with one name, HOME_READ_ONLY, STORE_* */
  static async open(directory: Directory, name: string): Promise<OwnFile> {
    const path = join(directory.path, name)
    return await writing(path, async () => {
      const { O_NOFOLLOW = 0, O_NONBLOCK = 0 }: Partial<typeof constants> = constants
      const fd = openSync(directory.at(name), constants.O_RDWR | constants.O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
      const stat = fstatSync(fd, { bigint: true })
      if (stat.isFile() && stat.nlink === 1n) {
        giveTo(fd, { mode: 0o600, uid: directory.uid, gid: directory.gid })
        return new OwnFile(path, fd, Number(stat.size))
      }
      await shut(fd)
      throw unsafe(
        path,
        stat.isFile() ? 'it has another name (a hard link)' : `it is a ${standingOf(stat)} and no file`,
      )
    })
  }

  /** After a failure it is as long as before. @throws HoldfastError STORE_FULL, STORE_IO */
  async append(data: Uint8Array): Promise<void> {
    const start = this.bytes
    await writing(this.path, async () => {
      try {
        for (let done = 0; done < data.length; ) {
          const { bytesWritten } = await writeAt(this.#fd, data, done, data.length - done, start + done)
          done += bytesWritten
        }
        this.bytes = start + data.length
      } catch (error) {
        await truncate(this.#fd, start)
        throw error
      }
    })
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return await writing(this.path, async () => (await readAt(this.#fd, into, 0, into.length, position)).bytesRead)
  }

  async cutBack(bytes: number): Promise<void> {
    await writing(this.path, () => truncate(this.#fd, bytes))
    this.bytes = bytes
  }

  async sync(): Promise<void> {
    await writing(this.path, () => sync(this.#fd))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await shut(this.#fd)
  }
}
