import { statfsSync } from 'node:fs'
import { type ErrorRecord, HoldfastError, recordOf } from '../../model/errors.ts'

/** A fast disk takes 5 MB in this time, far less than a reserve; and statfs(2) is cheap, but not free. */
const checkEveryMs = 10

/** Room must exceed the reserve by this before the store grows again, so that it does not flap at the edge. */
const returnFactor = 1.25

/** Less than this would be full again with the next few messages. */
const returnMinBytes = 1024 ** 2

/** Whether the store may grow, and why not. */
export class Room {
  #because: ErrorRecord | null = null
  #checkedAtMs = Number.NEGATIVE_INFINITY
  readonly #directory: string
  readonly #reserveBytes: number
  readonly #tell: (writable: boolean, because: ErrorRecord | null) => void

  constructor(directory: string, reserveBytes: number, tell: (writable: boolean, because: ErrorRecord | null) => void) {
    this.#directory = directory
    this.#reserveBytes = reserveBytes
    this.#tell = tell
  }

  /** @throws HoldfastError with the reason for which the store is read-only */
  require(): void {
    if (this.#because?.code === 'STORE_FULL') throw new HoldfastError('STORE_FULL', this.#because.facts)
  }

  /** Before a probe's write: is there room again? @throws HoldfastError STORE_FULL */
  lookAgain(): void {
    if (this.#because?.code !== 'STORE_FULL') return
    const freeBytes = this.#freeBytes()
    if (freeBytes >= this.#enoughBytes) return
    throw new HoldfastError('STORE_FULL', { freeBytes, reserveBytes: this.#reserveBytes })
  }

  /** Looks at the disk, at most every `checkEveryMs`. */
  check(nowMs: number): void {
    if (nowMs - this.#checkedAtMs < checkEveryMs) return
    this.#checkedAtMs = nowMs
    const freeBytes = this.#freeBytes()
    if (freeBytes < this.#reserveBytes && this.#because === null) {
      this.lose(new HoldfastError('STORE_FULL', { freeBytes, reserveBytes: this.#reserveBytes }))
    }
  }

  /** SQLite or the disk itself said no. */
  lose(error: HoldfastError): void {
    const before = this.#because
    this.#because = recordOf(error)
    if (before === null) this.#tell(false, this.#because)
  }

  /** A write was durable. A disk that has hardly more than the reserve still keeps the store read-only. */
  regain(): void {
    if (this.#because === null) return
    if (this.#because.code === 'STORE_FULL' && this.#freeBytes() < this.#enoughBytes) return
    this.#because = null
    this.#tell(true, null)
  }

  get #enoughBytes(): number {
    return Math.max(this.#reserveBytes * returnFactor, returnMinBytes)
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#directory)
    return bavail * bsize
  }
}
