import { createHash } from 'node:crypto'
import { basename, dirname } from 'node:path'
import { HoldfastError } from '../../../model/errors.ts'
import { newIn, putAt, requireDirectory } from '../../files/create.ts'
import { sha256Of } from '../../files/digest.ts'
import { openInside } from '../../files/open.ts'

export interface GivenFile {
  path: string
  bytes: number
  sha256: string
  /** It was there already, and is this. */
  isThere: boolean
}

/**
 * A file with this content, whole and on disk. `content` is made anew each time and always the same: where a file has this name, it is
 * compared and never written over. Read back afterwards.
 * @throws HoldfastError FILE_EXISTS where something else has the name, STORE_FULL, STORE_IO, HOME_READ_ONLY, HOME_UNSAFE
 */
export async function giveFile(root: string, path: string, content: () => AsyncIterable<Buffer>): Promise<GivenFile> {
  const before = await digestAt(root, path)
  if (before !== null) {
    const wanted = await digestOf(content())
    if (wanted.sha256 === before.sha256) return { path, ...before, isThere: true }
    throw new HoldfastError('FILE_EXISTS', { because: `${path} is there, and is not what would be written` })
  }
  using directory = requireDirectory(root, dirname(path))
  const name = basename(path)
  const fresh = `${Buffer.byteLength(name) > 200 ? '' : name}.holdfast-export.new`
  directory.remove(fresh) // of an export that was broken off
  const counted = new Counted(content())
  await putAt(directory, name, counted.pieces(), newIn(directory, 0o600), fresh)
  directory.sync()
  const found = await digestAt(root, path)
  const { sha256, bytes } = counted.end()
  if (found?.sha256 !== sha256)
    throw new HoldfastError('IMPORT_MISMATCH', { because: `${path} is not what was written` })
  return { path, bytes, sha256, isThere: false }
}

async function digestAt(root: string, path: string): Promise<{ bytes: number; sha256: string } | null> {
  using file = await openInside(root, path)
  return file === null ? null : { bytes: file.bytes, sha256: await sha256Of(file) }
}

async function digestOf(content: AsyncIterable<Buffer>): Promise<{ bytes: number; sha256: string }> {
  const counted = new Counted(content)
  for await (const _ of counted.pieces());
  return counted.end()
}

/** Small pieces are written together. Unit: bytes. */
const pieceBytes = 256 * 1024

class Counted {
  readonly #content: AsyncIterable<Buffer>
  readonly #hash = createHash('sha256')
  #bytes = 0

  constructor(content: AsyncIterable<Buffer>) {
    this.#content = content
  }

  async *pieces(): AsyncGenerator<Buffer> {
    let held: Buffer[] = []
    let heldBytes = 0
    for await (const piece of this.#content) {
      this.#hash.update(piece)
      this.#bytes += piece.length
      held.push(piece)
      heldBytes += piece.length
      if (heldBytes < pieceBytes) continue
      yield Buffer.concat(held)
      held = []
      heldBytes = 0
    }
    if (held.length > 0) yield Buffer.concat(held)
  }

  end(): { bytes: number; sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }
}
