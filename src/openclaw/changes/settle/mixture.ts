import { readChunks } from '../../files/lines.ts'
import type { OpenFile } from '../../files/open.ts'

/**
 * Every byte of the file is the one that either content has there, and it is no shorter than both: it was being written in place when the
 * process ended. What somebody else has written since is neither.
 */
export async function isMixture(
  file: OpenFile,
  one: AsyncIterable<Uint8Array>,
  other: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  await using first = new Reader(one)
  await using second = new Reader(other)
  for await (const chunk of readChunks(file)) {
    const a = await first.take(chunk.length)
    const b = await second.take(chunk.length)
    for (let at = 0; at < chunk.length; at += 1) if (chunk[at] !== a[at] && chunk[at] !== b[at]) return false
  }
  return (await first.take(1)).length === 0 || (await second.take(1)).length === 0
}

class Reader implements AsyncDisposable {
  readonly #parts: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts[Symbol.asyncIterator]()
  }

  /** So many bytes; fewer at the end. */
  async take(bytes: number): Promise<Uint8Array> {
    const taken: Uint8Array[] = []
    let missing = bytes
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#parts.next()
        if (next.done === true) break
        this.#rest = next.value
      }
      const part = this.#rest.subarray(0, missing)
      this.#rest = this.#rest.subarray(part.length)
      missing -= part.length
      taken.push(part)
    }
    return Buffer.concat(taken)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.return?.()
  }
}
