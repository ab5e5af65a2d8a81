import type { SourceLine } from './line.ts'

/** Lines that are carried along together, in one event: compressed by the store, and read back with one entry. */
const chunkMax = { lines: 200, bytes: 128 * 1024 }

/** Divides lines the same way each time, so that the same transcript becomes the same entries. */
export class Chunks {
  #lines = 0
  #bytes = 0

  /** Whether this line begins a new one. */
  begins({ bytes }: Pick<SourceLine, 'bytes'>): boolean {
    const isFull = this.#lines === chunkMax.lines || this.#bytes + bytes > chunkMax.bytes
    const begins = this.#lines === 0 || isFull
    if (begins) this.restart()
    this.#lines += 1
    this.#bytes += bytes
    return begins
  }

  restart(): void {
    this.#lines = 0
    this.#bytes = 0
  }
}
